/** Where a command can stand. The last four are final. */
export const commandStatuses = ['queued', 'delivered', 'applied', 'failed', 'rejected', 'expired'] as const;

export type CommandStatus = (typeof commandStatuses)[number];
