import type { JournalEvent, SessionHead, Snapshot } from '../journal.ts';
import { isRungApart, isRungSmall } from '../snapshot-ladder.ts';

/** A session of a journal in memory, as far as its snapshots go. */
export interface SnapshotSession {
  head: SessionHead;
  events: readonly JournalEvent[];
  /** The oldest first. */
  snapshots: Snapshot[];
}

/** Keeps the newest of one version, and the rungs of the ladder before it. */
export function keepSnapshot(session: SnapshotSession, snapshot: Snapshot): void {
  const { seq, version, json } = snapshot;
  const ladder = session.snapshots.filter((each) => each.version === version);
  const newest = ladder.at(-1);
  session.snapshots = ladder;
  if (newest !== undefined && seq === newest.seq) return;
  if (newest === undefined || seq > newest.seq) {
    // The newest so far stays if it is a rung.
    if (newest !== undefined && !isRung(session, newest, ladder.at(-2)?.seq ?? 0)) ladder.pop();
    ladder.push({ seq, version, json });
    return;
  }
  const at = ladder.findLastIndex((each) => each.seq < seq) + 1;
  if (ladder[at]?.seq !== seq && isRung(session, snapshot, ladder[at - 1]?.seq ?? 0)) ladder.splice(at, 0, snapshot);
}

function isRung({ events, head: { cut = 0 } }: SnapshotSession, { seq, json }: Snapshot, last: number): boolean {
  if (!isRungApart(seq, last)) return false;
  let chars = 0;
  for (let at = last; at < seq; at++) chars += events[at - cut]?.json.length ?? 0;
  return isRungSmall(json.length, chars);
}
