import { receivedAt } from '../../core/protocol/event.ts';
import type { CommitLog } from './commit-log.ts';
import type { JournalEvent, SessionHead } from '../journal.ts';
import { databaseSeq, type NewestEvents } from './newest-events.ts';
import { reasonOf } from './database/sqlite-codes.ts';
import type { SqliteDatabase } from './database/sqlite-database.ts';

/** How long, and how many characters of JSON, commits may stay in the log before they are moved to the database together. */
const moveAfterMs = 1_000;
const moveAtChars = 256 * 1_024;
/** What a session that has yet to be written counts as. */
const headChars = 200;

/**
 * Commits go to the log, and from there many at a time to the database. What is in neither was acknowledged to nobody;
 * what is in both, after a sudden end, is taken from the database.
 */
export class WriteBack {
  readonly #database: SqliteDatabase;
  readonly #log: CommitLog;
  readonly #tell: (sentence: string) => void;
  readonly #listeners = new Set<(elapsedMs: number) => void>();
  #failure: string | undefined;
  readonly #withWaiting = new Set<NewestEvents>();
  #chars = 0;
  /** The number of the last commit. */
  #commits: number;
  #url: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  /** Whether the database says that it is open: only then a log that is missing at the next start is noticed. */
  #isMarkedOpen = false;
  /** Something stands in the write-ahead log that must not stay there: what was deleted, or the mark of being open. */
  #isWalSoiled = false;

  constructor(database: SqliteDatabase, log: CommitLog, tell: (sentence: string) => void) {
    this.#database = database;
    this.#log = log;
    this.#tell = tell;
    const { header, commits, damagedAtEnd } = log.content;
    const logged =
      header === undefined || header.journal === database.epoch ? [header?.commits ?? 0, ...commits.map(({ number }) => number ?? 0)] : [0];
    this.#commits = logged.reduce((most, each) => Math.max(most, each), database.commits) + damagedAtEnd;
  }

  /** What kept it from moving commits when it tried last; undefined where nothing did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Characters of JSON that are in the log only. */
  get waitingChars(): number {
    return this.#chars;
  }

  onMoved(listener: (elapsedMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes up events of a session, or with none a session that the database has yet to get. */
  take(session: NewestEvents, events: readonly JournalEvent[]): void {
    for (const { json } of events) {
      session.waiting.push(json);
      this.#chars += json.length;
    }
    if (events.length === 0) this.#chars += headChars;
    this.#withWaiting.add(session);
    const last = events.at(-1);
    if (last === undefined) return;
    session.head.seq = last.seq;
    session.head.updated_at = receivedAt(last.event);
  }

  /** Brings a session back to where it was. */
  takeBack(session: NewestEvents, head: SessionHead): void {
    const kept = session.waiting.length - (session.head.seq - head.seq);
    for (const json of session.waiting.splice(kept)) this.#chars -= json.length;
    for (const [id, seq] of session.waitingIds) if (seq > head.seq) session.waitingIds.delete(id);
    session.head = head;
  }

  /** Gives up a session that is not to be created after all. */
  forget(session: NewestEvents): void {
    if (this.#withWaiting.delete(session)) this.#chars -= headChars;
  }

  /** Only after the timer failed: however long the database cannot take them, what waits for it stays bounded. @throws what keeps it from that */
  makeRoom(): void {
    if (this.#chars >= 2 * moveAtChars) this.moveToDatabase();
  }

  /** Keeps lines as one commit. @throws the system's error; nothing is kept */
  commit(lines: readonly string[]): void {
    this.#log.append(lines, this.#commits + 1);
    this.#commits++;
    this.moveLater();
  }

  /** @param isRetry it just failed: again after a while, however much there is */
  moveLater(isRetry = false): void {
    if (this.#isClosed || (this.#withWaiting.size === 0 && !this.#isWalSoiled && this.#isMarkedOpen)) return;
    const isDue = this.#chars >= moveAtChars && !isRetry;
    if (this.#timer !== undefined && !isDue) return;
    clearTimeout(this.#timer);
    const move = () => {
      this.#timer = undefined;
      try {
        this.moveToDatabase();
      } catch {
        // A full disk, most likely. Nothing is lost, the log has it; appends are refused where it grows too large.
        this.moveLater(true);
      }
    };
    this.#timer = setTimeout(move, isDue ? 0 : moveAfterMs);
    this.#timer.unref();
  }

  /** Has the database hold a session through this event: should the machine lose power, nothing is left that speaks of a history that is not. */
  moveThrough(session: NewestEvents, seq: number): void {
    if (session.key === undefined || seq > databaseSeq(session)) this.moveToDatabase();
  }

  /** Moves what is in the log to the database. @throws what keeps it from that; everything is as it was */
  moveToDatabase(): void {
    const startedAt = performance.now();
    try {
      this.#move();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = reasonOf(error);
      throw error;
    }
    for (const listener of this.#listeners) listener(performance.now() - startedAt);
  }

  #move(): void {
    const sessions = [...this.#withWaiting];
    const { keys, aside, blocks } = this.#database.writeBack(sessions, this.#commits);
    for (const session of sessions) {
      session.key = keys.get(session) ?? session.key;
      const failure = aside.get(session);
      session.block = blocks.get(session);
      if (failure === undefined) {
        session.waiting = [];
        session.waitingIds.clear();
      } else {
        session.refusal = `what it has could not be written back (${failure})`;
        this.#tell(
          `Session ${session.head.session_id} takes no more events: ${session.refusal}; it is set aside, and tried again at the next start`,
        );
      }
    }
    this.#withWaiting.clear();
    this.#chars = 0;
    this.#clearLog();
    if (!this.#isMarkedOpen && !this.#isClosed) {
      this.#database.markOpen(true);
      // In the file itself: a copy of it alone, without what lies beside it, says that it is not all.
      this.#isWalSoiled = true;
    }
    this.#isMarkedOpen = true;
    if (this.#isWalSoiled) this.#emptyWal();
  }

  /** Deletes a session: nothing of it is left in any file. @throws what keeps it from that; everything is as it was */
  delete(session: NewestEvents): void {
    // Nothing of it may be left in the log, from where it would come back into one created anew.
    this.moveToDatabase();
    this.#database.deleteSession(session, this.#commits + 1);
    this.#commits++;
    this.#clearLog();
    this.#emptyWal();
  }

  /** Notes where the server listens, for others who find the journal taken. */
  announce(url: string): void {
    this.#url = url;
    this.begin();
  }

  /** Moves it now, or on a full disk as soon as it can be. */
  begin(): void {
    try {
      this.moveToDatabase();
    } catch {
      this.moveLater(true);
    }
  }

  /** One of the files is gone from under the server: what it has is brought to where the next one finds it, as far as it can be. */
  save(): void {
    try {
      this.moveToDatabase();
      this.#database.markOpen(false);
    } finally {
      this.#emptyWal();
    }
  }

  /** Moves what it can. False if the log is needed still: the next opener finds there what could not be moved. */
  close(): boolean {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    try {
      this.moveToDatabase();
      this.#database.markOpen(false);
      return true;
    } catch {
      return false;
    }
  }

  #clearLog(): void {
    this.#log.clear({ journal: this.#database.epoch, commits: this.#commits, pid: process.pid, url: this.#url });
  }

  #emptyWal(): void {
    try {
      this.#isWalSoiled = !this.#database.pages.emptyWal();
    } catch {
      this.#isWalSoiled = true;
    }
    if (this.#isWalSoiled) this.moveLater(true);
  }
}
