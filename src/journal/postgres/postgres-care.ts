import { Client } from 'pg';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { eventList } from '../../core/protocol/event.ts';
import { readPostgresUrl } from './postgres-location.ts';
import { schemaVersion, sizeStatement } from './postgres-schema.ts';
import type { JournalCheck } from '../sqlite/care/check.ts';

/** Events that are read at a time. */
const pageEvents = 2_000;
/** Where a session begins behind what retention has cut; a journal of an older version has no such column. */
const cutOf = `coalesce((to_jsonb(s) ->> 'cut')::bigint, 0)`;

/** What there is to know of a journal in PostgreSQL. */
export interface SharedJournalInfo {
  /** Its URL. */
  path: string;
  /** Of its tables together. */
  size_bytes: number;
  /** The version of its tables. */
  format: number;
  sessions: number;
  events: number;
  created_at: string | null;
  updated_at: string | null;
  /** The servers that have it open, by their URLs as far as they are told. */
  servers: string[];
}

/** What is done with a journal in PostgreSQL, whether servers have it open or not. It holds up none of them. */
export const careOfPostgres = {
  /** @throws ShannonDashError JOURNAL_FAILED a sentence, and `details` with the `reason` as of a file; NOT_FOUND */
  info: (url: string): Promise<SharedJournalInfo> => reading(url, infoOf),
  /**
   * Reads every event of every session, as all of them were at one moment.
   * @throws ShannonDashError JOURNAL_FAILED a sentence, NOT_FOUND
   */
  check: (url: string): Promise<JournalCheck> => reading(url, checkOf),
  /**
   * Forgets the states that the journal keeps so that they need not be folded again: the next server folds all of them anew.
   * @throws ShannonDashError JOURNAL_FAILED a sentence, also where a server has it open; NOT_FOUND
   */
  forgetStates: (url: string): Promise<{ path: string; sessions: number }> => reading(url, forgetStates),
};

type Work<Result> = (client: Client, journal: { path: string; format: number }) => Promise<Result>;

/** Works in one transaction with the journal as it is at its beginning. */
async function reading<Result>(path: string, work: Work<Result>): Promise<Result> {
  const { url: connectionString, options } = place(path);
  const client = new Client({ connectionString, options, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const { rows: found } = await client.query<{ is: boolean }>(`SELECT to_regclass('journal') IS NOT NULL AS is`);
    if (found[0]?.is !== true)
      throw new ShannonDashError('NOT_FOUND', `there is no journal at ${path}: a server that is started with it makes one`);
    const { rows } = await client.query<{ version: number }>('SELECT version FROM journal');
    const format = rows[0]?.version ?? 0;
    if (format > schemaVersion) {
      throw new ShannonDashError(
        'JOURNAL_FAILED',
        `the journal at ${path} is of version ${format}, and this program knows versions up to ${schemaVersion}`,
        {
          reason: 'newer',
        },
      );
    }
    const result = await work(client, { path, format });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    if (error instanceof ShannonDashError) throw error;
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    throw new ShannonDashError('JOURNAL_FAILED', `the journal in PostgreSQL cannot be read: ${reason}`, undefined, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function place(path: string): ReturnType<typeof readPostgresUrl> {
  try {
    return readPostgresUrl(path);
  } catch (cause) {
    throw new ShannonDashError('INVALID', `the journal in PostgreSQL cannot be opened: ${(cause as Error).message}`, undefined, { cause });
  }
}

const infoOf: Work<SharedJournalInfo> = async (client, { path, format }) => {
  const { rows } = await client.query<{
    sessions: string;
    events: string;
    created_at: string | null;
    updated_at: string | null;
    size: string;
  }>(
    `SELECT count(*) AS sessions, coalesce(sum(s.seq - ${cutOf}), 0) AS events, min(origin::jsonb ->> 'created_at') AS created_at,
       max(updated_at) AS updated_at,
       (${sizeStatement}) AS size
     FROM sessions s WHERE session_id IS NOT NULL`,
  );
  const [sums] = rows;
  return {
    path,
    size_bytes: Number(sums?.size ?? 0),
    format,
    sessions: Number(sums?.sessions ?? 0),
    events: Number(sums?.events ?? 0),
    created_at: sums?.created_at ?? null,
    updated_at: sums?.updated_at ?? null,
    servers: await serversOf(client),
  };
};

async function serversOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ server: string; url: string | null }>(
    'SELECT server, url FROM servers WHERE until > clock_timestamp() ORDER BY url, server',
  );
  return rows.map(({ server, url }) => url ?? server);
}

/** Where a session stands, and how far it was read. */
interface Followed {
  session_id: string;
  head: number;
  read: number;
}

const checkOf: Work<JournalCheck> = async (client, { path, format }) => {
  const { rows: heads } = await client.query<{ key: string; session_id: string; seq: string; cut: string }>(
    `SELECT key, session_id, seq, ${cutOf} AS cut FROM sessions s WHERE session_id IS NOT NULL ORDER BY key`,
  );
  const sessions = new Map<string, Followed>(
    heads.map(({ key, session_id, seq, cut }) => [key, { session_id, head: Number(seq), read: Number(cut) }]),
  );
  const problems: string[] = [];
  const lost: JournalCheck['lost'] = [];
  let events = 0;
  const miss = (session: Followed, before: number) => {
    if (session.read + 1 < before) lost.push({ session_id: session.session_id, from: session.read + 1, through: before - 1 });
  };
  let [key, seq] = ['0', '0'];
  for (;;) {
    const { rows } = await client.query<{ session: string; seq: string; json: string }>(
      'SELECT session, seq, json FROM events WHERE (session, seq) > ($1, $2) ORDER BY session, seq LIMIT $3',
      [key, seq, pageEvents],
    );
    for (const row of rows) {
      const session = sessions.get(row.session);
      // Those of a session that is deleted, or that is being imported.
      if (session === undefined) continue;
      const at = Number(row.seq);
      // What retention has cut goes by and by.
      if (at <= session.read) continue;
      if (!isReadable(row.json)) continue;
      miss(session, at);
      session.read = at;
      events++;
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    ({ session: key, seq } = last);
  }
  for (const session of sessions.values()) {
    miss(session, session.head + 1);
    if (session.read > session.head)
      problems.push(`${session.session_id} has events through ${session.read}, and is said to end with ${session.head}`);
  }
  return { path, format, sessions: sessions.size, events, waiting: 0, problems, lost };
};

function isReadable(json: string): boolean {
  try {
    return eventList.safeParse([JSON.parse(json)]).success;
  } catch {
    return false;
  }
}

const forgetStates: Work<{ path: string; sessions: number }> = async (client, { path }) => {
  const servers = await serversOf(client);
  if (servers.length > 0)
    throw new ShannonDashError('JOURNAL_FAILED', `a server has the journal at ${path} open (${servers.join(', ')})`, { reason: 'in_use' });
  await client.query('DELETE FROM snapshots');
  const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM sessions WHERE session_id IS NOT NULL');
  return { path, sessions: Number(rows[0]?.count ?? 0) };
};
