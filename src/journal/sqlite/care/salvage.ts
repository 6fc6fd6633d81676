import { existsSync, realpathSync, statSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { readLog, type LogContent } from '../commit-log-text.ts';
import { applicationId } from '../database/application-id.ts';
import { checksumOf, firstSeqOf, linesOf, placesPerSession } from '../database/chunks.ts';
import { reasonOf, sqliteCodeOf } from '../database/sqlite-codes.ts';
import { migrate, takeLock } from '../database/sqlite-schema.ts';
import { isSoundBase, type BaseRow } from '../database/stored-bases.ts';
import { isSoundHead, type StoredHead } from '../database/stored-heads.ts';
import { KeptWal } from '../files/companion-files.ts';
import { claimJournalFile, takenBy } from '../files/sqlite-file.ts';
import { OpenRefusal } from '../open-refusal.ts';
import { chunksInOrder } from './chunk-spans.ts';
import { fileBytes } from './file-bytes.ts';
import { openDatabase } from './open-database.ts';
import { PageFile } from './page-file.ts';
import { rowsOf, type PageRow } from './page-rows.ts';

/** A session that a journal's file has. */
export interface FoundSession {
  key: number;
  session_id: string;
  epoch: string;
  created_at: string;
  /** JSON. */
  origin: string;
  /** Where it stood when it was last written; undefined where that cannot be read. */
  head: StoredHead | undefined;
}

/** A row of a table whose rows are taken as they are. */
export type PlainRow = Record<string, string | number | null>;

/** All that can be read of a journal. */
export interface Salvage {
  /** Its file, without links. */
  path: string;
  format: number | undefined;
  /** By its keys. */
  meta: Map<string, string>;
  sessions: Map<number, FoundSession>;
  /** Where retention has cut the histories of sessions, by their keys. */
  bases: Map<number, BaseRow>;
  /** How many events each chunk has that is what was written, by its place. */
  chunks: Map<number, number>;
  cursors: PlainRow[];
  aside: PlainRow[];
  log: LogContent;
  logBytes: Buffer;
  wal: KeptWal;
  /** Whether there is one, be it empty. */
  hasLog: boolean;
  /** Damage, in sentences. */
  problems: string[];
}

/** Takes a chunk that is what was written. */
type ChunkSink = (place: number, json: string) => void;

const corruptCodes = new Set([11, 26]);
const metaKeys = new Set(['epoch', 'secret', 'deletions', 'commits', 'open']);
/** The version of the tables from which on each session has a head. */
const firstWithHeads = 4;
/** SQLite's findings that are told, at most. */
const mostFindings = 20;

/**
 * Reads all that can be read of a journal that no server has, also where SQLite cannot, and leaves its files as they are.
 * @param sink gets each chunk, in no order
 * @param use gets the rest, while no server can open the journal: it may put another file in its place
 * @throws OpenRefusal a server has it; it is no journal
 */
export async function salvageJournal<Result>(
  given: string,
  sink: ChunkSink,
  use: (salvage: Salvage) => Result | Promise<Result>,
): Promise<Result> {
  const path = realpathSync(resolvePath(given));
  const release = claim(path);
  try {
    return await salvageClaimed(path, sink, use);
  } finally {
    release();
  }
}

/** @returns what gives it up. A file whose head is damaged is nobody's to claim, and is read all the same. */
function claim(path: string): () => void {
  try {
    return claimJournalFile(path, applicationId).release;
  } catch (error) {
    if (error instanceof OpenRefusal && error.details.reason === 'damaged') return () => undefined;
    throw error;
  }
}

async function salvageClaimed<Result>(path: string, sink: ChunkSink, use: (salvage: Salvage) => Result | Promise<Result>): Promise<Result> {
  const logBytes = fileBytes(`${path}-log`);
  const log = readLog(logBytes);
  const salvage: Salvage = {
    path,
    format: undefined,
    meta: new Map(),
    sessions: new Map(),
    bases: new Map(),
    chunks: new Map(),
    cursors: [],
    aside: [],
    log,
    logBytes,
    wal: new KeptWal(path),
    hasLog: existsSync(`${path}-log`),
    problems: [],
  };
  // Opened before SQLite does and closed after it: to close it in between would drop the lock.
  const pages = new PageFile(path);
  let database: DatabaseSync | undefined;
  try {
    database = await lock(path, salvage);
    const loose = readPages(pages, salvage, sink);
    const isEmpty = database !== undefined && statSync(path).size === 0;
    if (isEmpty) salvage.problems.push('the file is empty');
    if (database === undefined || isEmpty || !readTables(database, salvage)) takeLoose(loose, salvage);
    if ((salvage.format ?? firstWithHeads) < firstWithHeads) standWhereEventsDo(salvage);
    return await use(salvage);
  } finally {
    // SQLite notices where another file stands in its place: then it leaves alone what lies beside that.
    database?.close();
    pages.close();
    salvage.wal.putBack();
  }
}

/** Keeps servers out meanwhile. Undefined where SQLite cannot read the file: then none could open it either. */
async function lock(path: string, { problems }: Salvage): Promise<DatabaseSync | undefined> {
  let database: DatabaseSync | undefined;
  try {
    database = await openDatabase(path);
    takeLock(database);
    return database;
  } catch (error) {
    database?.close();
    const code = sqliteCodeOf(error);
    if (code === 5 || code === 6) throw takenBy(path, error);
    if (!corruptCodes.has(code)) throw error;
    problems.push(`SQLite cannot read the file: ${reasonOf(error)}`);
    return undefined;
  }
}

/** What a look at the pages found that only counts where SQLite cannot read the tables. */
interface LooseRows {
  meta: Map<string, string>;
  sessions: FoundSession[];
  heads: Map<number, StoredHead>;
  bases: Map<number, BaseRow>;
}

function readPages(pages: PageFile, { chunks }: Salvage, sink: ChunkSink): LooseRows {
  const loose: LooseRows = { meta: new Map(), sessions: [], heads: new Map(), bases: new Map() };
  for (const page of pages.pages()) {
    for (const row of rowsOf(page)) {
      const chunk = chunkOf(row);
      if (chunk === undefined) noteLoose(row, loose);
      else if (!chunks.has(chunk.place)) {
        chunks.set(chunk.place, chunk.lines);
        sink(chunk.place, chunk.json);
      }
    }
  }
  return loose;
}

/** A row that is a chunk as it was written: its checksum says so, or in one of an old version its events do. */
function chunkOf({
  rowid: place,
  values: [none, json, sum = null, ...more],
}: PageRow): { place: number; json: string; lines: number } | undefined {
  if (place === undefined || place <= placesPerSession || none !== null || typeof json !== 'string' || more.length > 0) return undefined;
  if (sum !== null && (typeof sum !== 'number' || checksumOf(place, json) !== sum)) return undefined;
  const first = firstSeqOf({ place, json, sum });
  const lines = linesOf({ place, json, sum });
  if (lines === undefined || (sum === null && !lines.every((line, at) => line.includes(`"seq":${first + at},`)))) return undefined;
  return { place, json, lines: lines.length };
}

function noteLoose({ rowid, values }: PageRow, { meta, sessions, heads, bases }: LooseRows): void {
  const [first, second, third, fourth, fifth] = values;
  if (rowid === undefined) {
    if (values.length === 2 && typeof first === 'string' && metaKeys.has(first) && typeof second === 'string') meta.set(first, second);
    return;
  }
  if (values.length === 4 && typeof second === 'number' && typeof third === 'string' && typeof fourth === 'number') {
    const head = { seq: second, updated_at: third };
    if (isSoundHead(rowid, { ...head, sum: fourth })) heads.set(rowid, head);
    return;
  }
  if (fifth instanceof Uint8Array) {
    if (typeof second !== 'number' || typeof third !== 'number' || typeof fourth !== 'number') return;
    const base = { seq: second, version: third, sum: fourth, state: fifth };
    // An older one may lie in a page that is free.
    if (base.seq > (bases.get(rowid)?.seq ?? 0) && isSoundBase(base)) bases.set(rowid, base);
    return;
  }
  const texts = [second, third, fourth, fifth];
  if (values.length !== 5 || !texts.every((text) => typeof text === 'string')) return;
  const [session_id = '', epoch = '', created_at = '', origin = ''] = texts;
  if (!Number.isNaN(Date.parse(created_at)) && isObject(origin))
    sessions.push({ key: rowid, session_id, epoch, created_at, origin, head: undefined });
}

/** Reads the tables by SQLite. False where something in them is damaged. */
function readTables(database: DatabaseSync, salvage: Salvage): boolean {
  const { problems } = salvage;
  const before = problems.length;
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      if (error instanceof OpenRefusal) throw error;
      if (!problems.includes(reasonOf(error))) problems.push(reasonOf(error));
    }
  };
  const rows = (sql: string) => database.prepare(sql).iterate() as Iterable<PlainRow>;
  attempt(() => {
    salvage.format = migrate(database);
  });
  attempt(() => {
    for (const { integrity_check: finding } of rows(`PRAGMA integrity_check(${mostFindings})`))
      if (finding !== 'ok') problems.push(`SQLite finds: ${String(finding)}`);
  });
  attempt(() => {
    for (const { key, value } of rows('SELECT key, value FROM meta')) salvage.meta.set(String(key), String(value));
  });
  attempt(() => {
    for (const { key, session_id, epoch, created_at, origin } of rows(
      'SELECT key, session_id, epoch, created_at, origin FROM sessions ORDER BY key',
    )) {
      const texts = { session_id: String(session_id), epoch: String(epoch), created_at: String(created_at), origin: String(origin) };
      salvage.sessions.set(Number(key), { key: Number(key), ...texts, head: undefined });
    }
  });
  attempt(() => {
    for (const { session, seq, updated_at, sum } of rows('SELECT session, seq, updated_at, sum FROM heads')) {
      const head = { seq: Number(seq), updated_at: String(updated_at) };
      const found = salvage.sessions.get(Number(session));
      if (found !== undefined && isSoundHead(Number(session), { ...head, sum: Number(sum) })) found.head = head;
    }
  });
  attempt(() => {
    for (const { session, ...base } of database.prepare('SELECT session, seq, version, sum, state FROM bases').iterate()) {
      salvage.bases.set(Number(session), base as unknown as BaseRow);
    }
  });
  attempt(() => salvage.cursors.push(...rows('SELECT reader, session, seq FROM cursors')));
  attempt(() => salvage.aside.push(...rows('SELECT session_id, head, lines FROM aside')));
  attempt(() => database.exec('ROLLBACK'));
  return problems.length === before;
}

/** What SQLite has not found, from the pages. */
function takeLoose({ meta, sessions, heads, bases }: LooseRows, salvage: Salvage): void {
  for (const [key, value] of meta) if (!salvage.meta.has(key)) salvage.meta.set(key, value);
  const names = new Set([...salvage.sessions.values()].map(({ session_id }) => session_id));
  for (const session of sessions) {
    if (salvage.sessions.has(session.key) || names.has(session.session_id)) continue;
    names.add(session.session_id);
    salvage.sessions.set(session.key, session);
  }
  for (const [key, head] of heads) {
    const session = salvage.sessions.get(key);
    if (session !== undefined) session.head ??= head;
  }
  for (const [key, base] of bases) if (!salvage.bases.has(key)) salvage.bases.set(key, base);
}

function standWhereEventsDo({ sessions, chunks }: Salvage): void {
  const spans = chunksInOrder(chunks);
  for (const session of sessions.values()) session.head ??= { seq: spans.last(session.key), updated_at: session.created_at };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
