import type { DatabaseSync } from 'node:sqlite';
import type { SessionOrigin } from '../../../core/protocol/session-state.ts';
import { checksumOf, chunksOf, placeOf } from './chunks.ts';
import type { Block } from './blocks.ts';
import type { SessionHead, Snapshot } from '../../journal.ts';
import type { NewestEvents } from '../newest-events.ts';
import { DatabasePages } from './database-pages.ts';
import { isOfOneSession, reasonOf } from './sqlite-codes.ts';
import { prepareStatements, type Statements } from './sqlite-statements.ts';
import { newEpoch } from '../../stamping.ts';
import { StoredImports } from '../kept/stored-imports.ts';
import { StoredBases } from './stored-bases.ts';
import { StoredBlocks } from './stored-blocks.ts';
import { StoredEvents } from './stored-events.ts';
import { StoredHeads, type StoredHead } from './stored-heads.ts';
import { StoredSnapshots } from './stored-snapshots.ts';

/** The number that no session has. */
const readerMark = 0;

type Row = Record<string, string | number | null>;

/** What a write-back did: the numbers that sessions have now, and those that could not be written and why. */
export interface WrittenBack {
  keys: Map<NewestEvents, number>;
  aside: Map<NewestEvents, string>;
  blocks: Map<NewestEvents, Block | undefined>;
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
  readonly #heads: StoredHeads;
  readonly events: StoredEvents;
  readonly blocks: StoredBlocks;
  readonly snapshots: StoredSnapshots;
  readonly pages: DatabasePages;
  readonly bases: StoredBases;
  readonly imports: StoredImports;

  constructor(database: DatabaseSync, onProblem: (sentence: string) => void) {
    this.#database = database;
    this.#onProblem = onProblem;
    this.#statements = prepareStatements(database);
    this.#heads = new StoredHeads(this.#statements);
    this.events = new StoredEvents(this.#statements, onProblem);
    this.pages = new DatabasePages(database);
    this.bases = new StoredBases(this.#statements, onProblem);
    this.blocks = new StoredBlocks(this.#statements);
    this.snapshots = new StoredSnapshots(this.#statements, onProblem);
    const { blocks, bases } = this;
    this.imports = new StoredImports(this.#statements, { blocks, bases, heads: this.#heads }, (work) =>
      this.#transaction(this.#commits, work),
    );
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

  /** Every session, in the order of creation. No event is read, unless the head of a session is missing. */
  sessions(): NewestEvents[] {
    const heads = this.#heads.all();
    const cuts = this.bases.all();
    const rows = this.#database.prepare('SELECT key, session_id, epoch, created_at, origin FROM sessions ORDER BY key').all() as Row[];
    return rows.map((row) => {
      const created_at = String(row['created_at']);
      const session_id = String(row['session_id']);
      const head: SessionHead = { session_id, epoch: String(row['epoch']), created_at, updated_at: created_at, seq: 0 };
      const session: NewestEvents = { key: Number(row['key']), head, waiting: [], waitingIds: new Map() };
      const cut = cuts.get(Number(row['key']));
      if (cut !== undefined) Object.assign(head, { cut, seq: cut });
      try {
        Object.assign(head, JSON.parse(String(row['origin'])) as Pick<SessionOrigin, 'skills' | 'metadata'>);
        Object.assign(head, heads.get(Number(row['key'])) ?? this.#lookUpHead(session));
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
   * and neither a watcher's cursor nor a snapshot must take it for that.
   */
  renewEpochs(sessions: Iterable<NewestEvents>): void {
    const mark = `~${newEpoch().slice(0, 6)}`;
    this.#transaction(this.#commits, () => {
      for (const { key, head } of sessions) {
        head.epoch = head.epoch.replace(/~.*$/, '') + mark;
        if (key === undefined) continue;
        this.#statements.setEpoch.run(head.epoch, key);
        this.#statements.dropSnapshot.run(key);
        this.snapshots.dropRungs(key);
        this.#statements.deleteBlocks.run(placeOf(key, 0), placeOf(key + 1, 0));
      }
    });
  }

  /**
   * Takes over what the sessions have that is not here yet, in one transaction. One that cannot be written is set aside,
   * whole, and holds up no other.
   * @param commits the last commit that this is the work of
   */
  writeBack(sessions: readonly NewestEvents[], commits: number): WrittenBack {
    const written: WrittenBack = { keys: new Map(), aside: new Map(), blocks: new Map() };
    this.#transaction(commits, () => {
      this.#heads.addMissing();
      for (const session of sessions) {
        this.#statements.savepoint.run();
        try {
          written.keys.set(session, this.#insert(session, written));
        } catch (error) {
          if (!isOfOneSession(error)) throw error;
          this.#statements.rollbackToSavepoint.run();
          written.keys.delete(session);
          written.blocks.delete(session);
          written.aside.set(session, reasonOf(error));
          const { session_id } = session.head;
          this.#statements.putAside.run(session_id, JSON.stringify(session.head), JSON.stringify(session.waiting));
        }
        this.#statements.releaseSavepoint.run();
      }
    });
    this.#heads.forgetMissing();
    return written;
  }

  /** Deletes a session with all that it has. @param commits the number that this has as a commit */
  deleteSession({ key, head }: NewestEvents, commits: number): void {
    this.#transaction(commits, () => {
      if (key !== undefined) {
        this.#statements.deleteChunks.run(placeOf(key, 0), placeOf(key + 1, 0));
        this.#statements.deleteIds.run(key);
        this.#statements.dropHead.run(key);
        this.#statements.dropSnapshot.run(key);
        this.snapshots.dropRungs(key);
        this.#statements.deleteBlocks.run(placeOf(key, 0), placeOf(key + 1, 0));
        this.#statements.dropBase.run(key);
        this.#statements.dropCursors.run(key);
        this.#statements.deleteSession.run(key);
      }
      this.#statements.dropAside.run(head.session_id);
      this.#statements.setMeta.run(String(this.#deletions + 1), 'deletions');
    });
    this.#deletions++;
  }

  /** @param packed its JSON, deflated, where it may become a rung of the ladder */
  saveSnapshot(session: NewestEvents, snapshot: Snapshot, packed: Uint8Array | undefined): void {
    this.#transaction(this.#commits, () => this.snapshots.save(session, snapshot, packed));
  }

  /** The history of a session begins behind this state from now on. @param packed its JSON, deflated */
  saveBase({ key }: NewestEvents, base: Snapshot, packed: Uint8Array): void {
    this.#transaction(this.#commits, () => key !== undefined && this.bases.save(key, base, packed));
  }

  /** Deletes some of what lies before the cut of a session. @returns whether more is left */
  sweep(session: NewestEvents): boolean {
    let isMore = false;
    this.#transaction(this.#commits, () => (isMore = this.bases.sweep(session)));
    return isMore;
  }

  /** @param seqs by the numbers of sessions */
  saveCursors(reader: string, seqs: ReadonlyMap<number, number>): void {
    this.#transaction(this.#commits, () => {
      for (const [key, seq] of [[readerMark, 0] as const, ...seqs]) this.#statements.saveCursor.run(reader, key, seq);
    });
  }

  /** By the numbers of sessions; undefined where none was ever saved. */
  loadCursors(reader: string): Map<number, number> | undefined {
    const rows = this.#statements.loadCursors.all(reader) as { session: number; seq: number }[];
    return rows.length === 0 ? undefined : new Map(rows.map(({ session, seq }) => [session, seq]));
  }

  /** Notes that it is open, or that it was closed as it should be. */
  markOpen(isOpen: boolean): void {
    this.#statements.setMeta.run(isOpen ? '1' : '0', 'open');
  }

  close(): void {
    this.#database.close();
  }

  #lookUpHead(session: NewestEvents): StoredHead {
    const { updated_at, seq } = { ...session.head, ...this.events.last(session) };
    if (session.key !== undefined) this.#heads.noteMissing(session.key, { seq, updated_at });
    return { seq, updated_at };
  }

  #insert(session: NewestEvents, { blocks }: WrittenBack): number {
    const { key: known, head, waiting, waitingIds } = session;
    const { session_id, epoch, created_at, skills, metadata } = head;
    const origin = JSON.stringify({ skills, metadata });
    const key = known ?? Number(this.#statements.insertSession.run(session_id, epoch, created_at, origin).lastInsertRowid);
    let seq = head.seq - waiting.length + 1;
    let { block } = session;
    for (const lines of chunksOf(waiting)) {
      const json = lines.join('\n');
      const place = placeOf(key, seq);
      this.#statements.insertChunk.run(place, json, checksumOf(place, json));
      block = this.blocks.add(key, block, seq, lines);
      seq += lines.length;
    }
    blocks.set(session, block);
    for (const [id, at] of waitingIds) this.#statements.insertId.run(key, id, at);
    this.#heads.set(key, head);
    this.#statements.dropAside.run(session_id);
    return key;
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
