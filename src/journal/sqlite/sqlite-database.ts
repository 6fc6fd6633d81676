import type { DatabaseSync } from 'node:sqlite';
import { receivedAt } from '../../core/protocol/event.ts';
import type { SessionOrigin } from '../../core/protocol/session-state.ts';
import { checksumOf, chunksOf, firstSeqOf, linesOf, lostEvent, placeOf, type ChunkRow } from './chunks.ts';
import type { JournalEvent, SessionHead, Snapshot } from '../journal.ts';
import { settledSeq, type NewestEvents } from '../newest-events.ts';
import { prepareStatements, type Statements } from './sqlite-statements.ts';
import { eventFromJson, newEpoch, seqOfServerMadeId } from '../stamping.ts';

/** Chunks read between two looks at the event loop, so that a rare filter over a long history holds up nobody. */
const scanChunks = 16;
const mostToldLosses = 1_000;

type Row = Record<string, string | number | null>;

/** What a write-back did: the numbers that sessions have now, and those that could not be written and why. */
export interface WrittenBack {
  keys: Map<NewestEvents, number>;
  aside: Map<NewestEvents, string>;
}

/** A session as it could not be written back. */
export interface AsideSession {
  head: SessionHead;
  lines: string[];
}

/**
 * The tables of a journal. Everything is done at once and throws SQLite's own errors. No write goes through `get`, which
 * gives the first row although the rest of the statement, the write itself, failed.
 */
export class SqliteDatabase {
  readonly epoch: string;
  readonly secret: string;
  /** Whether whoever had it open last did not close it. */
  readonly wasLeftOpen: boolean;
  #deletions: number;
  #commits: number;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #onProblem: (sentence: string) => void;
  /** Each loss is told once, however often it is read. */
  readonly #toldLosses = new Set<string>();

  constructor(database: DatabaseSync, onProblem: (sentence: string) => void) {
    this.#database = database;
    this.#onProblem = onProblem;
    this.#statements = prepareStatements(database);
    const meta = new Map((database.prepare('SELECT key, value FROM meta').all() as Row[]).map(({ key, value }) => [key, String(value)]));
    this.epoch = meta.get('epoch') ?? newEpoch();
    this.secret = meta.get('secret') ?? '';
    this.wasLeftOpen = meta.get('open') === '1';
    this.#deletions = Number(meta.get('deletions') ?? 0);
    this.#commits = Number(meta.get('commits') ?? 0);
  }

  /** The last commit that it has. */
  get commits(): number {
    return this.#commits;
  }

  /** Where a session stands is told by its last event alone: nothing to write twice at every commit. */
  sessions(): NewestEvents[] {
    const rows = this.#database.prepare('SELECT key, session_id, epoch, created_at, origin FROM sessions ORDER BY key').all() as Row[];
    return rows.map((row) => {
      const created_at = String(row['created_at']);
      const session_id = String(row['session_id']);
      const head: SessionHead = { session_id, epoch: String(row['epoch']), created_at, updated_at: created_at, seq: 0 };
      const session: NewestEvents = { key: Number(row['key']), head, unsettled: [], unsettledIds: new Map() };
      try {
        Object.assign(head, JSON.parse(String(row['origin'])) as Pick<SessionOrigin, 'skills' | 'metadata'>);
        Object.assign(head, this.#lastOf(session));
      } catch (error) {
        session.refusal = `its newest events cannot be read (${reasonOf(error)})`;
        this.#onProblem(`Session ${session_id} takes no more events: ${session.refusal}`);
      }
      return session;
    });
  }

  /** What could not be written back before. */
  asideSessions(): AsideSession[] {
    const rows = this.#database.prepare('SELECT head, lines FROM aside').all() as Row[];
    return rows.map(({ head, lines }) => ({ head: JSON.parse(String(head)) as SessionHead, lines: JSON.parse(String(lines)) as string[] }));
  }

  /** The epoch that a session created now has: another one than that of a deleted session with the same id. */
  get epochOfNew(): string {
    return this.#deletions === 0 ? this.epoch : `${this.epoch}.${this.#deletions}`;
  }

  /**
   * Gives each session another epoch, where the end of some may be lost: what is appended next has the numbers of what is lost,
   * and a watcher's cursor must not take it for that.
   */
  renewEpochs(sessions: Iterable<NewestEvents>): void {
    const mark = `~${newEpoch().slice(0, 6)}`;
    this.#transaction(this.#commits, () => {
      for (const { key, head } of sessions) {
        head.epoch = head.epoch.replace(/~.*$/, '') + mark;
        if (key !== undefined) this.#statements.setEpoch.run(head.epoch, key);
      }
    });
  }

  /**
   * Takes over what the sessions have that is not here yet, in one transaction. One that cannot be written is set aside,
   * whole, and holds up no other.
   * @param commits the last commit that this is the work of
   */
  writeBack(sessions: readonly NewestEvents[], commits: number): WrittenBack {
    const written: WrittenBack = { keys: new Map(), aside: new Map() };
    this.#transaction(commits, () => {
      for (const session of sessions) {
        this.#statements.savepoint.run();
        try {
          written.keys.set(session, this.#insert(session));
        } catch (error) {
          if (!isOfOneSession(error)) throw error;
          this.#statements.rollbackToSavepoint.run();
          written.keys.delete(session);
          written.aside.set(session, reasonOf(error));
          const { session_id } = session.head;
          this.#statements.putAside.run(session_id, JSON.stringify(session.head), JSON.stringify(session.unsettled));
        }
        this.#statements.releaseSavepoint.run();
      }
    });
    return written;
  }

  /** Deletes a session with all that it has. @param commits the number that this has as a commit */
  deleteSession({ key, head }: NewestEvents, commits: number): void {
    this.#transaction(commits, () => {
      if (key !== undefined) {
        this.#statements.deleteChunks.run(placeOf(key, 0), placeOf(key + 1, 0));
        this.#statements.deleteIds.run(key);
        this.#statements.deleteSession.run(key);
      }
      this.#statements.dropAside.run(head.session_id);
      this.#statements.setMeta.run(String(this.#deletions + 1), 'deletions');
    });
    this.#deletions++;
  }

  /** Leaves nothing in the write-ahead log: what was deleted stands there still. False if it could not. */
  emptyWal(): boolean {
    const [row] = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all() as Row[];
    return row?.['busy'] === 0;
  }

  /** Notes that it is open, or that it was closed as it should be. */
  markOpen(isOpen: boolean): void {
    this.#statements.setMeta.run(isOpen ? '1' : '0', 'open');
  }

  /**
   * Some of the events after `after`, in order: at least one, where there are any. Those that cannot be read are there as
   * lost ones, so that there is no gap.
   */
  *eventsAfter(session: NewestEvents, after: number): Generator<JournalEvent> {
    const { key, head } = session;
    const through = settledSeq(session);
    let next = after + 1;
    if (next > through) return;
    let rows = 0;
    let lastFirst = 0;
    try {
      for (const row of key === undefined ? [] : this.#chunksAt(key, next)) {
        rows++;
        lastFirst = firstSeqOf(row);
        const lines = linesOf(row);
        if (lines === undefined) continue;
        yield* this.#lost(head, next, lastFirst - 1);
        next = Math.max(next, lastFirst);
        for (const [index, line] of lines.entries()) {
          if (lastFirst + index === next && next <= through) yield eventFromJson(head.session_id, next++, line);
        }
      }
      // Fewer than were asked for: there is nothing behind them. Else at least what lies before the last of them is lost.
      const lostThrough = rows < scanChunks ? through : Math.min(through, lastFirst - 1);
      yield* this.#lost(head, next, lostThrough);
    } catch (error) {
      if (sqliteCodeOf(error) !== corrupt || key === undefined) throw error;
      yield* this.#lost(head, next, this.#nextReadable(key, next, through) - 1);
    }
  }

  /** The event with this id; undefined if the tables have none. */
  findById(session: NewestEvents, id: string): JournalEvent | undefined {
    const seq = seqOfServerMadeId(session.head.epoch, id) ?? this.#seqOfId(session, id);
    if (seq === undefined) return undefined;
    const [found] = this.eventsAfter(session, seq - 1);
    return found?.event.id === id ? found : undefined;
  }

  saveSnapshot(session: NewestEvents, { seq, version, json }: Snapshot): void {
    if (session.key !== undefined) this.#statements.saveSnapshot.run(seq, version, json, checksumOf(seq, json), session.key);
  }

  /** A snapshot is a cache: one that is not what was saved is none. */
  loadSnapshot({ key, head }: NewestEvents): Snapshot | undefined {
    if (key === undefined) return undefined;
    try {
      const [row] = this.#statements.loadSnapshot.all(key) as Row[];
      if (row === undefined || row['snapshot'] === null) return undefined;
      const snapshot = { seq: Number(row['snapshot_seq']), version: Number(row['snapshot_version']), json: String(row['snapshot']) };
      if (row['snapshot_sum'] === null || row['snapshot_sum'] === checksumOf(snapshot.seq, snapshot.json)) return snapshot;
      this.#onProblem(`The snapshot of ${head.session_id} is damaged: its history is folded anew`);
    } catch (error) {
      if (sqliteCodeOf(error) !== corrupt) throw error;
      this.#onProblem(`The snapshot of ${head.session_id} cannot be read (${reasonOf(error)}): its history is folded anew`);
    }
    return undefined;
  }

  close(): void {
    this.#database.close();
  }

  /** Where a session stands that was read before. @throws its last chunk cannot be found */
  #lastOf({ key, head }: NewestEvents): Partial<SessionHead> {
    const [row] = this.#statements.lastChunk.all(placeOf(key ?? 0, 0), placeOf((key ?? 0) + 1, 0)) as unknown as ChunkRow[];
    if (row === undefined) return {};
    const lines = linesOf(row);
    // A line feed is one byte of thousands: most likely it is not that which was damaged.
    const seq = firstSeqOf(row) + (lines ?? row.json.split('\n')).length - 1;
    const last = lines?.at(-1);
    if (last === undefined) this.#onProblem(`Events of ${head.session_id} from ${firstSeqOf(row)} on cannot be read`);
    return last === undefined ? { seq } : { seq, updated_at: receivedAt(eventFromJson(head.session_id, seq, last).event) };
  }

  #insert({ key: known, head, unsettled, unsettledIds }: NewestEvents): number {
    const { session_id, epoch, created_at, skills, metadata } = head;
    const origin = JSON.stringify({ skills, metadata });
    const key = known ?? Number(this.#statements.insertSession.run(session_id, epoch, created_at, origin).lastInsertRowid);
    let seq = head.seq - unsettled.length + 1;
    for (const lines of chunksOf(unsettled)) {
      const json = lines.join('\n');
      const place = placeOf(key, seq);
      this.#statements.insertChunk.run(place, json, checksumOf(place, json));
      seq += lines.length;
    }
    for (const [id, at] of unsettledIds) this.#statements.insertId.run(key, id, at);
    this.#statements.dropAside.run(session_id);
    return key;
  }

  #chunksAt(key: number, seq: number): Iterable<ChunkRow> {
    return this.#statements.chunksFrom.iterate(
      placeOf(key, 0),
      placeOf(key, seq),
      placeOf(key, seq),
      placeOf(key + 1, 0),
      scanChunks,
    ) as unknown as Iterable<ChunkRow>;
  }

  #seqOfId({ key }: NewestEvents, id: string): number | undefined {
    if (key === undefined) return undefined;
    const [row] = this.#statements.seqOfId.all(key, id) as Row[];
    return typeof row?.['seq'] === 'number' ? row['seq'] : undefined;
  }

  /** Where the next chunk lies that SQLite can reach, behind a page of its own that is damaged; behind the last event if nowhere. */
  #nextReadable(key: number, from: number, through: number): number {
    for (let step = 1; from + step <= through; step *= 2) {
      try {
        const [row] = this.#statements.nextChunk.all(placeOf(key, from + step), placeOf(key + 1, 0)) as unknown as ChunkRow[];
        return row === undefined ? through + 1 : firstSeqOf(row);
      } catch (error) {
        if (sqliteCodeOf(error) !== corrupt) throw error;
      }
    }
    return through + 1;
  }

  *#lost(head: SessionHead, from: number, through: number): Generator<JournalEvent> {
    if (from > through) return;
    const key = `${head.epoch} ${head.session_id} ${through}`;
    if (!this.#toldLosses.has(key) && this.#toldLosses.size < mostToldLosses) {
      this.#toldLosses.add(key);
      this.#onProblem(`Events ${from} to ${through} of ${head.session_id} cannot be read: the journal is damaged there`);
    }
    for (let seq = from; seq <= through; seq++) yield lostEvent(head, seq);
  }

  #transaction(commits: number, work: () => void): void {
    this.#statements.begin.run();
    try {
      work();
      this.#statements.setMeta.run(String(commits), 'commits');
      this.#statements.commit.run();
    } catch (error) {
      try {
        this.#statements.rollback.run();
      } catch {
        // SQLite may have rolled back by itself (a full disk); then there is nothing left to undo.
      }
      // It may have failed behind the commit: what counts is what is there.
      if (!this.#hasCommit(commits)) throw error;
    }
    this.#commits = commits;
  }

  #hasCommit(commits: number): boolean {
    try {
      return commits > this.#commits && Number((this.#statements.commits.all() as Row[])[0]?.['value']) === commits;
    } catch {
      return false;
    }
  }
}

/** The primary result code of an error of SQLite (https://sqlite.org/rescode.html); 0 for any other. */
export function sqliteCodeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

const corrupt = 11;
/** TOOBIG, CONSTRAINT, MISMATCH, RANGE, CORRUPT: it lies in what was to be written there, and the next session may well be written. */
const codesOfOneSession = new Set([18, 19, 20, 25, corrupt]);

function isOfOneSession(error: unknown): boolean {
  return codesOfOneSession.has(sqliteCodeOf(error));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
