import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { noteAppended, type JournalChange, type SessionHead } from '../journal.ts';
import type { Stamped } from '../stamping.ts';
import type { SqliteDatabase } from './database/sqlite-database.ts';
import type { NewestEvents } from './newest-events.ts';
import { createdLine } from './recovery.ts';
import type { WriteBack } from './write-back.ts';

/** What a commit has done so far in memory, and how to undo it when it cannot be written. */
export class StagedCommit {
  readonly changes: JournalChange[] = [];
  /** Answers each append of the commit, once it is written. */
  readonly answers: (() => void)[] = [];
  readonly lines: string[] = [];
  readonly #sessions: Map<string, NewestEvents>;
  readonly #database: SqliteDatabase;
  readonly #writes: WriteBack;
  /** The sessions with new events, as they were. */
  readonly #before = new Map<NewestEvents, SessionHead>();
  readonly #created: NewestEvents[] = [];

  constructor(sessions: Map<string, NewestEvents>, { database, writes }: { database: SqliteDatabase; writes: WriteBack }) {
    this.#sessions = sessions;
    this.#database = database;
    this.#writes = writes;
  }

  create(origin: SessionOrigin, epoch = this.#database.epochOfNew): NewestEvents {
    const head: SessionHead = { ...origin, epoch, seq: 0, updated_at: origin.created_at };
    const session: NewestEvents = { key: undefined, head, unsettled: [], unsettledIds: new Map() };
    this.#sessions.set(head.session_id, session);
    this.#writes.take(session, []);
    this.#created.push(session);
    this.lines.push(createdLine(head));
    this.changes.push({ kind: 'created', head: { ...head } });
    return session;
  }

  take(session: NewestEvents, { fresh, freshById }: Stamped): void {
    if (fresh.length === 0) return;
    if (!this.#before.has(session)) {
      this.#before.set(session, session.head);
      session.head = { ...session.head };
    }
    this.#writes.take(session, fresh);
    for (const [id, event] of freshById ?? []) session.unsettledIds.set(id, event.seq);
    for (const { json } of fresh) this.lines.push(json);
    const { session_id, epoch } = session.head;
    noteAppended(this.changes, { kind: 'appended', session_id, epoch, events: fresh });
  }

  undo(): void {
    for (const [session, head] of this.#before) this.#writes.takeBack(session, head);
    for (const session of this.#created) {
      this.#sessions.delete(session.head.session_id);
      this.#writes.forget(session);
    }
  }
}
