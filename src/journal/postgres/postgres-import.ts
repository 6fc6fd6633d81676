import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import type { JournalImport, SessionHead } from '../journal.ts';
import { importEnded, sameId, sessionExists, stampImported, tooManySessions } from '../stamping.ts';
import type { PostgresReader } from './postgres-reader.ts';
import type { CommitNote } from './commit-statement.ts';
import type { PostgresWriter } from './postgres-writer.ts';

/** PostgreSQL's code for a second row with the same key. */
const uniqueViolation = '23505';
/** How often it is noted that an import is under way, also while little comes. Of one that was not noted for ten of these any server deletes what there is. */
const noteMs = 60_000;

export interface PostgresImportParts {
  reader: Pick<PostgresReader, 'query'>;
  writer: Pick<PostgresWriter, 'name' | 'channel'>;
  /** Makes the session whole in its turn among what this process writes. */
  inTurn: (work: () => Promise<SessionHead>) => Promise<SessionHead>;
  /** Deletes what nobody wants any more. */
  sweep: () => void;
}

/** Brings a session to the database page by page: its row has no name, as that of one that is deleted, until it is whole. */
export class PostgresImport implements JournalImport {
  readonly #parts: PostgresImportParts;
  readonly #key: string;
  readonly #head: SessionHead;
  readonly #noting: NodeJS.Timeout;
  #isOpen = true;

  static async begin(origin: SessionOrigin, epoch: string, parts: PostgresImportParts): Promise<PostgresImport> {
    const [row] = await parts.reader.query<{ key: string }>(
      'INSERT INTO sessions (session_id, epoch, seq, origin, updated_at) VALUES (NULL, $1, -1, $2, $3) RETURNING key',
      [epoch, JSON.stringify(origin), origin.created_at],
    );
    return new PostgresImport(row?.key ?? '', { ...origin, epoch, seq: 0, updated_at: origin.created_at }, parts);
  }

  private constructor(key: string, head: SessionHead, parts: PostgresImportParts) {
    this.#key = key;
    this.#head = head;
    this.#parts = parts;
    // Where it cannot be noted, the next page tells why.
    this.#noting = setInterval(() => void this.#note().catch(() => undefined), noteMs).unref();
  }

  async add(events: readonly SessionEvent[]): Promise<void> {
    this.#requireOpen();
    const { fresh, freshById } = stampImported(this.#head, events);
    const last = fresh.at(-1);
    if (last === undefined) return;
    const ids = new Map([...(freshById ?? [])].map(([id, { seq }]) => [seq, Buffer.from(id)]));
    const { reader } = this.#parts;
    // A page that was kept although its answer was lost is sent again.
    const kept = await reader
      .query(
        `WITH kept AS (
           INSERT INTO events (session, seq, id, type, at, chars, json)
           SELECT $1::bigint, seq, id, type, at, chars, json
           FROM unnest($2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::integer[], $7::text[]) AS given(seq, id, type, at, chars, json)
           ON CONFLICT (session, seq) DO NOTHING
         ) UPDATE sessions SET touched_at = clock_timestamp() WHERE key = $1::bigint AND seq = -1 RETURNING key`,
        [
          this.#key,
          fresh.map(({ seq }) => seq),
          fresh.map(({ seq }) => ids.get(seq) ?? null),
          fresh.map(({ type }) => type),
          fresh.map(({ event }) => receivedAt(event)),
          fresh.map(({ json }) => json.length),
          fresh.map(({ json }) => json),
        ],
      )
      .catch(async (error: unknown) => {
        if (((error as Error).cause as { code?: string } | undefined)?.code !== uniqueViolation) throw error;
        const [known] = await reader.query<{ id: Buffer }>('SELECT id FROM events WHERE session = $1 AND id = ANY($2::bytea[]) LIMIT 1', [
          this.#key,
          [...ids.values()],
        ]);
        const id = known?.id.toString();
        throw sameId(events.findIndex((event) => event.id === id));
      });
    if (kept.length === 0) throw this.#gone();
    this.#head.seq = last.seq;
    this.#head.updated_at = receivedAt(last.event);
  }

  async finish(): Promise<SessionHead> {
    this.#requireOpen();
    const { session_id, epoch, seq, updated_at } = this.#head;
    const { reader, writer, inTurn } = this.#parts;
    const head = await inTurn(async () => {
      const note = JSON.stringify([writer.name, [session_id, epoch, seq]] satisfies CommitNote);
      const [row] = await reader.query<{ outcome: string }>('SELECT finish_import($1, $2, $3, $4, $5, $6, $7) AS outcome', [
        this.#key,
        session_id,
        seq,
        updated_at,
        limits.sessions,
        writer.channel,
        note,
      ]);
      if (row?.outcome === 'exists') throw sessionExists(session_id);
      if (row?.outcome === 'full') throw tooManySessions();
      if (row?.outcome !== 'done') throw this.#gone();
      return { ...this.#head };
    });
    this.#end();
    return head;
  }

  async drop(): Promise<void> {
    if (!this.#isOpen) return;
    this.#end();
    await this.#parts.reader.query('UPDATE sessions SET seq = 0 WHERE key = $1 AND session_id IS NULL', [this.#key]);
    this.#parts.sweep();
  }

  async #note(): Promise<void> {
    await this.#parts.reader.query('UPDATE sessions SET touched_at = clock_timestamp() WHERE key = $1 AND seq = -1', [this.#key]);
  }

  #end(): void {
    this.#isOpen = false;
    clearInterval(this.#noting);
  }

  /** PostgreSQL could not be reached for long. */
  #gone(): ShannonDashError {
    const sentence = `Another server has deleted what there was of ${this.#head.session_id} while it was imported: begin it again`;
    return new ShannonDashError('JOURNAL_FAILED', sentence);
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw importEnded();
  }
}
