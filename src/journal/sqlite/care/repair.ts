import { linkSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { receivedAt } from '../../../core/protocol/event.ts';
import { eventFromJson, newEpoch, seqOfServerMadeId } from '../../stamping.ts';
import { checksumOf, chunksOf, firstSeqOf, lostEvent, placeOf, type ChunkRow } from '../database/chunks.ts';
import { prepareTables, takeLock } from '../database/sqlite-schema.ts';
import type { BaseRow } from '../database/stored-bases.ts';
import { checksumOfHead } from '../database/stored-heads.ts';
import { isUnfinishedImport } from '../kept/stored-imports.ts';
import { openSqliteJournal } from '../sqlite-journal.ts';
import { checkOf, isWhole, type JournalCheck } from './check.ts';
import { chunksInOrder } from './chunk-spans.ts';
import { openDatabase } from './open-database.ts';
import { salvageJournal, type FoundSession, type PlainRow, type Salvage } from './salvage.ts';

/** What a repair did. */
export interface JournalRepair {
  /** What was found. */
  check: JournalCheck;
  /** The files as they were; none where nothing was wrong: then the journal was left as it is. */
  kept: string[];
  /** What the repaired journal has. */
  sessions: number;
  events: number;
}

/** Lost events written at a time. */
const lostAtOnce = 1_000;

/**
 * Puts a new file in the place of a damaged journal, with all that can be read, and keeps the old one beside it. In the place of an
 * event that is gone stands one of type `journal:lost`.
 * @throws OpenRefusal a server has it, it is no journal, or one of a newer version; the system's error, and nothing was changed
 */
export async function repairJournal(given: string): Promise<JournalRepair> {
  const folder = mkdtempSync(join(dirname(given), '.shannon-dash-repair-'));
  try {
    const path = join(folder, 'journal.db');
    const writer = await SalvageWriter.create(path);
    try {
      const putRepaired = async (salvage: Salvage): Promise<JournalRepair> => {
        writer.finish(salvage);
        writer.close();
        const check = checkOf(salvage);
        const { sessions, events } = check;
        if (isWhole(check)) return { check, kept: [], sessions, events };
        const totals = await takeLog(path, salvage);
        return { check, kept: putInPlace(path, salvage), ...totals };
      };
      return await salvageJournal(given, (place, json) => writer.addChunk(place, json), putRepaired);
    } finally {
      writer.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes what was salvaged to a journal that is new. */
class SalvageWriter {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  static async create(path: string): Promise<SalvageWriter> {
    // For its owner only from the first byte on.
    writeFileSync(path, '', { mode: 0o600, flag: 'wx' });
    return new SalvageWriter(await openDatabase(path));
  }

  private constructor(database: DatabaseSync) {
    this.#database = database;
    takeLock(database, true);
    prepareTables(database, false);
    database.exec('BEGIN');
  }

  addChunk(place: number, json: string): void {
    this.#run('INSERT OR IGNORE INTO chunks (place, json, sum) VALUES (?, ?, ?)', place, json, checksumOf(place, json));
  }

  /** Adds the rest, and fills the gaps. */
  finish(salvage: Salvage): void {
    const { meta, sessions, cursors, aside, log } = salvage;
    const epoch = meta.get('epoch') ?? log.header?.journal;
    if (epoch !== undefined) meta.set('epoch', epoch);
    for (const [key, value] of meta) this.#run('UPDATE meta SET value = ? WHERE key = ?', key === 'open' ? '0' : value, key);
    for (const session of [...sessions.values(), ...this.#unnamed(salvage)]) this.#addSession(session, salvage.bases.get(session.key));
    for (const { reader, session, seq } of cursors)
      this.#run('INSERT OR IGNORE INTO cursors (reader, session, seq) VALUES (?, ?, ?)', reader, session, seq);
    for (const { session_id, head, lines } of aside)
      this.#run('INSERT OR IGNORE INTO aside (session_id, head, lines) VALUES (?, ?, ?)', session_id, head, lines);
    this.#database.exec('COMMIT');
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** Sessions of which there are events only. */
  #unnamed({ chunks, meta, sessions }: Salvage): FoundSession[] {
    const names = new Set([...sessions.values()].map(({ session_id }) => session_id));
    const found: FoundSession[] = [];
    for (const key of chunksInOrder(chunks).keys()) {
      if (sessions.has(key)) continue;
      const [row] = this.#chunks(key, 0, 1);
      const first = row === undefined ? undefined : eventFromJson('', firstSeqOf(row), row.json.split('\n')[0] ?? '').event;
      if (first === undefined || names.has(first.session_id) || isUnfinishedImport(meta, key)) {
        // An older history of a session that is there under another number, or an import that has not come to its end.
        this.#run('DELETE FROM chunks WHERE place >= ? AND place < ?', placeOf(key, 0), placeOf(key + 1, 0));
        continue;
      }
      names.add(first.session_id);
      const { session_id, timestamp, id, seq } = first;
      const epoch = id.endsWith(`:${seq}`) ? id.slice(0, -`:${seq}`.length) : newEpoch();
      found.push({ key, session_id, epoch, created_at: timestamp, origin: '{}', head: undefined });
    }
    return found;
  }

  #addSession({ key, session_id, created_at, origin, head, ...session }: FoundSession, base: BaseRow | undefined): void {
    // Its end may be gone: what comes next must not be taken for that.
    const epoch = head === undefined ? `${session.epoch.replace(/~.*$/, '')}~${newEpoch().slice(0, 6)}` : session.epoch;
    this.#run(
      'INSERT INTO sessions (key, session_id, epoch, created_at, origin) VALUES (?, ?, ?, ?, ?)',
      key,
      session_id,
      epoch,
      created_at,
      origin,
    );
    const found = { session_id, epoch, created_at, updated_at: head?.updated_at ?? created_at, seq: base?.seq ?? 0 };
    if (base !== undefined) this.#addBase(key, base);
    let last: string | undefined;
    let next = 0;
    for (let row = this.#chunks(key, next, 1)[0]; row !== undefined; row = this.#chunks(key, next, 1)[0]) {
      const first = firstSeqOf(row);
      const lines = row.json.split('\n');
      next = first + lines.length;
      // What retention has taken may be there in part: the next server deletes it.
      if (next - 1 <= found.seq) continue;
      this.#addLost(key, found, first - 1);
      for (const [at, line] of lines.entries()) this.#addId(key, { epoch: session.epoch, seq: first + at, line });
      found.seq = next - 1;
      last = lines.at(-1);
    }
    if (last !== undefined && head === undefined) found.updated_at = receivedAt(eventFromJson(session_id, found.seq, last).event);
    this.#addLost(key, found, head?.seq ?? 0);
    const { seq, updated_at } = found;
    this.#run(
      'INSERT INTO heads (session, seq, updated_at, sum) VALUES (?, ?, ?, ?)',
      key,
      seq,
      updated_at,
      checksumOfHead(key, { seq, updated_at }),
    );
  }

  #addBase(key: number, { seq, version, sum, state }: BaseRow): void {
    const sql = 'INSERT INTO bases (session, seq, version, sum, state) VALUES (?, ?, ?, ?, ?)';
    this.#prepared(sql).run(key, seq, version, sum, state);
  }

  /** Chunks of a session from this event on. */
  #chunks(key: number, from: number, limit: number): ChunkRow[] {
    const sql = 'SELECT place, json, sum FROM chunks WHERE place >= ? AND place < ? ORDER BY place LIMIT ?';
    return this.#prepared(sql).all(placeOf(key, from), placeOf(key + 1, 0), limit) as unknown as ChunkRow[];
  }

  #addLost(key: number, session: Parameters<typeof lostEvent>[0], through: number): void {
    while (session.seq < through) {
      const count = Math.min(lostAtOnce, through - session.seq);
      const lines = Array.from({ length: count }, (_, at) => lostEvent(session, session.seq + 1 + at).json);
      for (const chunk of chunksOf(lines)) {
        this.addChunk(placeOf(key, session.seq + 1), chunk.join('\n'));
        session.seq += chunk.length;
      }
    }
  }

  #addId(key: number, { epoch, seq, line }: { epoch: string; seq: number; line: string }): void {
    const { id } = eventFromJson('', seq, line).event;
    if (seqOfServerMadeId(epoch, id) === undefined)
      this.#run('INSERT OR IGNORE INTO event_ids (session, id, seq) VALUES (?, ?, ?)', key, id, seq);
  }

  #prepared(sql: string): ReturnType<DatabaseSync['prepare']> {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  #run(sql: string, ...values: (PlainRow[string] | undefined)[]): void {
    this.#prepared(sql).run(...values.map((value) => value ?? null));
  }
}

/** Has the new journal take over the log of the old one, as a server does after a sudden end, and closes it. */
async function takeLog(path: string, { logBytes }: Salvage): Promise<{ sessions: number; events: number }> {
  if (logBytes.length > 0) writeFileSync(`${path}-log`, logBytes, { mode: 0o600 });
  const journal = await openSqliteJournal({ path, acceptLoss: true });
  const sessions = await journal.sessions();
  await journal.close();
  return { sessions: sessions.length, events: sessions.reduce((sum, { seq, cut = 0 }) => sum + seq - cut, 0) };
}

/** @returns the files as they were, by the names that they have from here on */
function putInPlace(repaired: string, { path, wal }: Salvage): string[] {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
  const kept = [aside];
  linkSync(path, aside);
  // What lies beside goes first, so that no server ever finds the new file with the log of the old one.
  if (wal.moveTo(`${aside}-wal`)) kept.push(`${aside}-wal`);
  if ((statSync(`${path}-log`, { throwIfNoEntry: false })?.size ?? 0) === 0) rmSync(`${path}-log`, { force: true });
  else {
    renameSync(`${path}-log`, `${aside}-log`);
    kept.push(`${aside}-log`);
  }
  renameSync(repaired, path);
  return kept;
}
