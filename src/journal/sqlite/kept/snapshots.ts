import type { Snapshot } from '../../journal.ts';
import type { NewestEvents } from '../newest-events.ts';
import type { KeptParts } from './kept-parts.ts';
import { pack } from './packed-state.ts';

/** Saves a snapshot of a session. One that may become a rung of the ladder is packed first, beside the event loop. */
export async function saveSnapshot(session: NewestEvents, snapshot: Snapshot, parts: KeptParts): Promise<void> {
  const { database, writes, isThere, guarded } = parts;
  if (!isThere(session)) return;
  const packed = guarded(() => database.snapshots.isRung(session, snapshot)) ? await pack(snapshot) : undefined;
  if (!isThere(session)) return;
  guarded(() => {
    writes.moveThrough(session, snapshot.seq);
    database.saveSnapshot(session, snapshot, packed);
  });
}
