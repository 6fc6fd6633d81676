import type { JournalChange, SessionHead, Snapshot, SnapshotQuery } from '../journal.ts';
import { rungEvents, shareOfEvents } from '../snapshot-ladder.ts';
import type { CommitNote } from './commit-statement.ts';
import type { PostgresFeed } from './postgres-feed.ts';
import type { PostgresReader } from './postgres-reader.ts';

type History = Pick<SessionHead, 'session_id' | 'epoch'>;

/** The states that a journal in PostgreSQL keeps: snapshots, and those from which histories go on that retention has cut. */
export class PostgresStates {
  readonly #reader: PostgresReader;
  readonly #feed: PostgresFeed;
  /** By whom and how the other servers are told. */
  readonly #sender: { name: string; channel: string };

  constructor(reader: PostgresReader, feed: PostgresFeed, sender: { name: string; channel: string }) {
    this.#reader = reader;
    this.#feed = feed;
    this.#sender = sender;
  }

  async save({ session_id, epoch }: History, { version, seq, json }: Snapshot): Promise<void> {
    const values = [session_id, epoch, version, seq, json, rungEvents, shareOfEvents];
    await this.#reader.query('SELECT save_snapshot($1, $2, $3, $4, $5, $6, $7)', values);
  }

  load(sessionId: string, { version, through }: SnapshotQuery): Promise<Snapshot | undefined> {
    return this.#one(
      `SELECT version, n.seq, json FROM snapshots n JOIN sessions s ON s.key = n.session
       WHERE s.session_id = $1 AND ($2::integer IS NULL OR version = $2) AND ($3::bigint IS NULL OR n.seq <= $3)
       ORDER BY n.seq DESC LIMIT 1`,
      [sessionId, version, through === Infinity ? undefined : through],
    );
  }

  loadBase(sessionId: string): Promise<Snapshot | undefined> {
    return this.#one('SELECT version, b.seq, json FROM bases b JOIN sessions s ON s.key = b.session WHERE s.session_id = $1', [sessionId]);
  }

  /** As `Journal.cut`. What a sudden end leaves of it the next server takes away. */
  async cut({ session_id, epoch }: History, { seq, version, json }: Snapshot): Promise<void> {
    const { name, channel } = this.#sender;
    const note = JSON.stringify([name, [session_id, epoch, seq, seq]] satisfies CommitNote);
    const values = [session_id, epoch, seq, version, json, channel, note];
    const [row] = await this.#reader.query<{ key: string | null }>('SELECT cut_session($1, $2, $3, $4, $5, $6, $7) AS key', values);
    if (row === undefined || row.key === null) return;
    this.#feed.noteCut({ kind: 'cut', session_id, epoch, through: seq } satisfies JournalChange);
    await this.#reader.deleteThrough(row.key, seq);
  }

  async #one(text: string, values: unknown[]): Promise<Snapshot | undefined> {
    const [row] = await this.#reader.query<{ version: number; seq: string; json: string }>(text, values);
    return row && { seq: Number(row.seq), version: row.version, json: row.json };
  }
}
