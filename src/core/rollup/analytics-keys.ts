/** What the rows of analytics can stand for. */
export const analyticsKeys = ['day', 'folder', 'agent', 'skill', 'model'] as const;
export type AnalyticsKey = (typeof analyticsKeys)[number];
