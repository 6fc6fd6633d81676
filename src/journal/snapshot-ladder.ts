/**
 * Of the snapshots of one version that a session has had, a keeper keeps the newest, and of the others some: the ladder. From a rung to
 * any event behind it is never far, and all rungs together take an eighth of what the events take, at most.
 */
export const rungEvents = 2_000;
export const shareOfEvents = 8;

/** Whether a snapshot is far enough from the last rung before it to be one. */
export function isRungApart(seq: number, lastRung: number): boolean {
  return seq - lastRung >= rungEvents;
}

/** Whether it is small enough. @param eventsSize of the events since the last rung, in the same unit */
export function isRungSmall(size: number, eventsSize: number): boolean {
  return size * shareOfEvents <= eventsSize;
}
