import { receivedAt, type SessionEvent } from '../../../core/protocol/event.ts';
import type { SessionOrigin } from '../../../core/protocol/session-state.ts';
import type { JournalImport, SessionHead } from '../../journal.ts';
import { importEnded, sameId, stampImported } from '../../stamping.ts';
import type { SqliteDatabase } from '../database/sqlite-database.ts';
import type { NewestEvents } from '../newest-events.ts';
import type { WriteBack } from '../write-back.ts';

export interface SqliteImportParts {
  database: Pick<SqliteDatabase, 'imports'>;
  writes: Pick<WriteBack, 'moveToDatabase'>;
  /** @throws ShannonDashError there is a session of that id, or no room for one */
  checkNew: () => void;
  /** Turns what the database throws into an error of the journal. */
  guarded: <Result>(work: () => Result) => Result;
  /** Takes the session when it is whole. */
  finished: (session: NewestEvents) => void;
  /** Takes away what lies under this number. */
  dropped: (key: number) => Promise<void>;
}

/**
 * Brings a session to the database past the log, page by page. Its events lie under a number that no session has until all are there;
 * the number is noted, so that what a sudden end leaves is found.
 */
export class SqliteImport implements JournalImport {
  readonly #parts: SqliteImportParts;
  readonly #session: NewestEvents & { key: number };
  #isOpen = true;

  constructor(origin: SessionOrigin, epoch: string, parts: SqliteImportParts) {
    this.#parts = parts;
    const head: SessionHead = { ...origin, epoch, seq: 0, updated_at: origin.created_at };
    const key = parts.guarded(() => {
      // Sessions are listed by their numbers: those that were created before get theirs first.
      parts.writes.moveToDatabase();
      return parts.database.imports.begin();
    });
    this.#session = { key, head, waiting: [], waitingIds: new Map() };
  }

  async add(events: readonly SessionEvent[]): Promise<void> {
    this.#requireOpen();
    const { head, key } = this.#session;
    const { fresh, freshById } = stampImported(head, events);
    const last = fresh.at(-1);
    if (last === undefined) return;
    const { imports } = this.#parts.database;
    const ids = [...(freshById ?? [])].map(([id, { seq }]) => ({ id, seq }));
    this.#parts.guarded(() => {
      const known = ids.find(({ id }) => imports.has(key, id));
      if (known !== undefined) throw sameId(known.seq - head.seq - 1);
      this.#session.block = imports.add(this.#session, { lines: fresh.map(({ json }) => json), ids });
    });
    head.seq = last.seq;
    head.updated_at = receivedAt(last.event);
  }

  async finish(): Promise<SessionHead> {
    this.#requireOpen();
    this.#parts.checkNew();
    this.#parts.guarded(() => this.#parts.database.imports.finish(this.#session));
    this.#isOpen = false;
    this.#parts.finished(this.#session);
    return { ...this.#session.head };
  }

  async drop(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#parts.dropped(this.#session.key);
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw importEnded();
  }
}
