import { setTimeout as wait } from 'node:timers/promises';
import { Pool, type ClientConfig, type QueryResultRow } from 'pg';
import { everyEvent } from '../../core/event-filter.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import type { JournalEvent, ReadRange, SessionHead } from '../journal.ts';
import { eventFromJson, seqOfServerMadeId } from '../stamping.ts';
import { ConnectionCut, isRefusal, reasonOfCut, postgresFailure } from './postgres-connection.ts';
import { isWanted } from '../wanted-events.ts';

/** So many connections read at a time at most. */
const readers = 4;
/** Of a history so many events are looked at in one query. */
const pageEvents = 1_000;
/** Of a session with more types each event is looked at. */
const mostTypes = 1_000;
/** One step deletes so many events at most. */
const deletedEvents = 2_000;
const answerMs = 30_000;
/** Where connections are cut, a question is asked again for so long, with such pauses. */
const [patienceMs, pauseMs] = [5_000, 100];

interface HeadRow extends QueryResultRow {
  session_id: string;
  epoch: string;
  seq: string;
  origin: string;
  updated_at: string;
  cut: string;
}

const headColumns = 'session_id, epoch, seq, origin, updated_at, cut';

/** Reads what is committed. */
export class PostgresReader {
  readonly #pool: Pool;

  constructor(config: ClientConfig) {
    this.#pool = new Pool({
      ...config,
      max: readers,
      connectionTimeoutMillis: 5_000,
      query_timeout: answerMs,
      keepAlive: true,
      allowExitOnIdle: true,
      application_name: 'shannon-dash',
    });
    // One that is cut while nobody uses it is replaced when somebody does.
    this.#pool.on('error', () => undefined);
  }

  /**
   * Asks what may be asked twice: where the connection is cut, it is asked again for a while.
   * @throws ShannonDashError JOURNAL_FAILED
   */
  async query<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return (await this.#pool.query<Row>(text, values)).rows;
      } catch (error) {
        if (isRefusal(error)) throw postgresFailure('read', error);
        if (this.#pool.ending || performance.now() > untilMs) throw postgresFailure('read', new ConnectionCut(reasonOfCut(error)));
      }
      await wait(pauseMs);
    }
  }

  async heads(): Promise<SessionHead[]> {
    const rows = await this.query<HeadRow>(`SELECT ${headColumns} FROM sessions WHERE session_id IS NOT NULL ORDER BY key`);
    return rows.map(headOf);
  }

  async head(sessionId: string): Promise<SessionHead | undefined> {
    const [row] = await this.query<HeadRow>(`SELECT ${headColumns} FROM sessions WHERE session_id = $1`, [sessionId]);
    return row && headOf(row);
  }

  async read(sessionId: string, range: ReadRange): Promise<JournalEvent[]> {
    const { limit, filter, since, until, maxChars = Infinity, reverse = false } = range;
    const found: JournalEvent[] = [];
    const key = await this.#key(sessionId);
    if (key === undefined) return found;
    const types = filter === undefined || filter === everyEvent ? undefined : await this.#types(key, filter);
    let { after, through = Infinity } = range;
    let chars = 0;
    while (found.length < limit && chars < maxChars && after < through) {
      const page = { key, after, through, reverse, types, since, until };
      const { cut, events } = await this.#page({ ...page, limit: Math.min(limit - found.length, pageEvents), maxChars: maxChars - chars });
      if (!reverse && cut > after && found.length > 0) {
        // What was cut away meanwhile would be missing between what was found before and what comes now.
        found.length = 0;
        chars = 0;
      }
      for (const { seq, json } of events) {
        const event = eventFromJson(sessionId, seq, json);
        if (!isWanted(event, range)) continue;
        found.push(event);
        chars += json.length;
      }
      const last = events.at(-1);
      if (last === undefined) break;
      if (reverse) through = last.seq - 1;
      else after = last.seq;
    }
    return found;
  }

  async find(sessionId: string, id: string): Promise<JournalEvent | undefined> {
    const [session] = await this.query<{ key: string; epoch: string; cut: string }>(
      'SELECT key, epoch, cut FROM sessions WHERE session_id = $1',
      [sessionId],
    );
    if (session === undefined) return undefined;
    const made = seqOfServerMadeId(session.epoch, id);
    const [row] = await this.query<{ seq: string; json: string }>(
      `SELECT seq, json FROM events WHERE session = $1 AND seq > $3 AND ${made === undefined ? 'id' : 'seq'} = $2`,
      [session.key, made ?? Buffer.from(id), session.cut],
    );
    return row && eventFromJson(sessionId, Number(row.seq), row.json);
  }

  /** Deletes the events of sessions that are deleted, and those that a cut has left, by and by. */
  async sweep(isStopped: () => boolean): Promise<void> {
    const cuts = await this.query<{ key: string; cut: string }>(
      'SELECT key, cut FROM sessions s WHERE cut > 0 AND EXISTS (SELECT FROM events e WHERE e.session = s.key AND e.seq <= s.cut)',
    );
    for (const { key, cut } of cuts) await this.deleteThrough(key, Number(cut), isStopped);
    for (;;) {
      // One that is being imported has no name yet.
      const [gone] = await this.query<{ key: string }>(
        `SELECT key FROM sessions WHERE session_id IS NULL AND (seq >= 0 OR touched_at < clock_timestamp() - interval '10 minutes') LIMIT 1`,
      );
      if (gone === undefined || isStopped()) return;
      await this.deleteThrough(gone.key, Infinity, isStopped);
      if (!isStopped()) await this.query('DELETE FROM sessions WHERE key = $1', [gone.key]);
    }
  }

  /** Deletes the events of a session through one of them, in steps. */
  async deleteThrough(key: string, through: number, isStopped = () => this.#pool.ending): Promise<void> {
    while (!isStopped()) {
      const deleted = await this.query(
        `DELETE FROM events WHERE session = $1 AND seq IN
           (SELECT seq FROM events WHERE session = $1 AND seq <= $2 ORDER BY seq LIMIT ${deletedEvents}) RETURNING seq`,
        [key, asBigint(through)],
      );
      if (deleted.length < deletedEvents) return;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #key(sessionId: string): Promise<string | undefined> {
    const [row] = await this.query<{ key: string }>('SELECT key FROM sessions WHERE session_id = $1', [sessionId]);
    return row?.key;
  }

  /** The types of a session that pass; undefined where it has more than are looked at one by one. */
  async #types(key: string, filter: (type: string) => boolean): Promise<string[] | undefined> {
    // From one type to the next by the index: https://wiki.postgresql.org/wiki/Loose_indexscan
    const rows = await this.query<{ type: string }>(
      `WITH RECURSIVE found AS (
         (SELECT type FROM events WHERE session = $1 ORDER BY type LIMIT 1)
         UNION ALL
         SELECT (SELECT type FROM events WHERE session = $1 AND type > found.type ORDER BY type LIMIT 1) FROM found WHERE type IS NOT NULL
       ) SELECT type FROM found WHERE type IS NOT NULL LIMIT $2`,
      [key, mostTypes + 1],
    );
    return rows.length > mostTypes ? undefined : rows.map(({ type }) => type).filter((type) => filter(type));
  }

  /** Events in order, up to the one that brings their JSON to so many characters. */
  async #page({ key, after, through, limit, reverse, maxChars, types, since, until }: PageRange): Promise<Page> {
    const order = reverse ? 'DESC' : 'ASC';
    const values: unknown[] = [key, after, asBigint(through), limit, asBigint(maxChars)];
    const conditions = [
      [types, 'type = ANY'],
      [since, 'at >= '],
      [until, 'at <= '],
    ].flatMap(([value, condition]) => (value === undefined ? [] : [`AND ${String(condition)}($${values.push(value)})`]));
    const rows = await this.query<{ cut: string; seq: string | null; json: string }>(
      `SELECT s.cut, counted.seq, counted.json FROM sessions s LEFT JOIN LATERAL (
         SELECT seq, json, sum(chars) OVER (ORDER BY seq ${order}) - chars AS before FROM (
           SELECT seq, chars, json FROM events
           WHERE session = $1 AND seq > greatest($2, s.cut) AND seq <= $3 ${conditions.join(' ')}
           ORDER BY seq ${order} LIMIT $4
         ) page
       ) counted ON before < $5 WHERE s.key = $1 ORDER BY counted.seq ${order}`,
      values,
    );
    return {
      cut: Number(rows[0]?.cut ?? 0),
      events: rows.flatMap(({ seq, json }) => (seq === null ? [] : [{ seq: Number(seq), json }])),
    };
  }
}

interface PageRange {
  key: string;
  after: number;
  through: number;
  limit: number;
  reverse: boolean;
  maxChars: number;
  types: string[] | undefined;
  since: string | undefined;
  until: string | undefined;
}

/** Some events, and where the history was cut when they were read. */
interface Page {
  cut: number;
  events: { seq: number; json: string }[];
}

function headOf({ epoch, seq, origin, updated_at, cut }: HeadRow): SessionHead {
  const head = { ...(JSON.parse(origin) as SessionOrigin), epoch, seq: Number(seq), updated_at };
  return cut === '0' ? head : { ...head, cut: Number(cut) };
}

function asBigint(value: number): string {
  return value > Number.MAX_SAFE_INTEGER ? '9223372036854775807' : String(value);
}
