/** How a command ends. */
export const finalStatuses = ['applied', 'failed', 'rejected', 'expired', 'cancelled'] as const;
/** Where a command can stand. */
export const commandStatuses = ['queued', 'delivered', ...finalStatuses] as const;

export type FinalStatus = (typeof finalStatuses)[number];
export type CommandStatus = (typeof commandStatuses)[number];

/** Something for each way in which a command ends. */
export function byFinalStatus<Value>(valueOf: (status: FinalStatus) => Value): Record<FinalStatus, Value> {
  return Object.fromEntries(finalStatuses.map((status) => [status, valueOf(status)])) as Record<FinalStatus, Value>;
}
