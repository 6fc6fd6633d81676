import { receivedAt } from '../../core/protocol/event.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { noteAppended, type JournalChange, type JournalEvent, type Snapshot } from '../journal.ts';
import { seqOfServerMadeId, type Stamped } from '../stamping.ts';
import type { SnapshotSession } from './memory-snapshots.ts';

export interface StoredSession extends SnapshotSession {
  events: JournalEvent[];
  /** Those whose producer gave an id. */
  byId: Map<string, JournalEvent>;
  /** The state at the cut. */
  base?: Snapshot;
}

export function storedSession(origin: SessionOrigin, epoch: string): StoredSession {
  return { head: { ...origin, epoch, seq: 0, updated_at: origin.created_at }, events: [], byId: new Map(), snapshots: [] };
}

/** Takes up events of a session. @returns the characters of their JSON */
export function take(session: StoredSession, { fresh, freshById }: Stamped, changes: JournalChange[]): number {
  let chars = 0;
  const { head, byId } = session;
  for (const [id, event] of freshById ?? []) byId.set(id, event);
  for (const event of fresh) {
    session.events.push(event);
    chars += event.json.length;
    head.seq = event.seq;
    head.updated_at = receivedAt(event.event);
  }
  const { session_id, epoch } = head;
  if (fresh.length > 0) noteAppended(changes, { kind: 'appended', session_id, epoch, events: fresh });
  return chars;
}

export function findById(session: StoredSession, id: string): JournalEvent | undefined {
  const seq = seqOfServerMadeId(session.head.epoch, id);
  return seq === undefined ? session.byId.get(id) : session.events[seq - 1 - (session.head.cut ?? 0)];
}
