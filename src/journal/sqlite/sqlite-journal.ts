import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { CommitLog } from './commit-log.ts';
import { KeptWal } from './files/companion-files.ts';
import type { Journal } from '../journal.ts';
import type { NewestEvents } from './newest-events.ts';
import { OpenRefusal } from './open-refusal.ts';
import { ProblemFeed } from '../problem-feed.ts';
import { Recovery } from './recovery.ts';
import { SqliteDatabase } from './database/sqlite-database.ts';
import { openFailure } from './files/open-failure.ts';
import { claimJournalFile, type ClaimedFile } from './files/sqlite-file.ts';
import { SqliteKeeper } from './sqlite-keeper.ts';
import { applicationId } from './database/application-id.ts';
import { prepareTables, takeLock } from './database/sqlite-schema.ts';
import { countLosses, isOfDatabase, StartLosses } from './start-losses.ts';
import { WriteBack } from './write-back.ts';

export interface SqliteJournalOptions {
  /** The database file; it, its `-wal` and `-log` and their folder are created, readable by their owner only. */
  path: string;
  /**
   * False (default): a commit survives the end of the process, however sudden; true: also a power failure, at the price
   * of one disk flush a commit.
   */
  fsync?: boolean;
  /**
   * Opens it although something that was acknowledged is gone, as far as it can be read; the damaged files are kept
   * beside it. Default: it is refused with what is lost, and left as it was.
   */
  acceptLoss?: boolean;
}

/** What is closed again, the newest first, where opening fails. */
interface Opening {
  path: string;
  undo: (() => void)[];
}

/**
 * Opens a journal in a SQLite file, which this process then holds alone.
 * @throws ShannonDashError JOURNAL_FAILED a sentence with the path, and `details` as OpenRefusalDetails
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const opening: Opening = { path: resolvePath(options.path), undo: [] };
  try {
    const { DatabaseSync } = await import('node:sqlite');
    // SQLite follows links too: whichever name it is opened by, a journal's files lie beside the real one.
    if (existsSync(opening.path)) opening.path = realpathSync(opening.path);
    const claimed = claimJournalFile(opening.path, applicationId);
    opening.undo.push(claimed.release);
    opening.path = realpathSync(opening.path);
    return open(new DatabaseSync(opening.path, { timeout: 0, open: false }), claimed, opening, options);
  } catch (error) {
    for (const undo of opening.undo.toReversed()) undo();
    throw openFailure(opening.path, error);
  }
}

function open(
  file: ConstructorParameters<typeof SqliteDatabase>[0],
  { isNew, owner, requireInPlace, release }: ClaimedFile,
  { path, undo }: Opening,
  { fsync = false, acceptLoss = false }: SqliteJournalOptions,
): Journal {
  // SQLite drops the one of a database that is empty as soon as it looks at it; another's must be read behind the lock.
  const before = isNew ? new KeptWal(path) : undefined;
  file.open();
  undo.push(() => file.close());
  takeLock(file, isNew);
  requireInPlace();
  const wal = before ?? new KeptWal(path);
  if (isNew) undo.unshift(() => rmSync(path));
  // What SQLite made of it in the meantime is undone where it is not to be opened.
  undo.unshift(() => wal.putBack());
  prepareTables(file, fsync);
  const problems = new ProblemFeed();
  const database = new SqliteDatabase(file, problems.tell);
  const log = new CommitLog(`${path}-log`, { fsync, owner });
  undo.push(() => log.close(log.bytes.length === 0));

  const writes = new WriteBack(database, log, problems.tell);
  const sessions = new Map(database.sessions().map((session) => [session.head.session_id, session]));
  const losses = new StartLosses();
  recover({ database, log, sessions, losses, writes, problems, isNew, hadWal: !wal.isEmpty });
  if (!losses.isNone) {
    if (!acceptLoss) throw new OpenRefusal('loss', losses.text);
    const kept = keepAside(path, log, wal);
    database.renewEpochs(sessions.values());
    problems.tell(`The journal was opened with a loss: ${losses.text}. Damaged files are kept: ${kept.join(', ')}`);
  }
  // What was in the log goes to the database, so that the log begins anew and says whose it is.
  writes.begin();
  return new SqliteKeeper({ path, database, log, writes, sessions, problems, release });
}

interface RecoverParts {
  database: SqliteDatabase;
  log: CommitLog;
  sessions: Map<string, NewestEvents>;
  losses: StartLosses;
  writes: WriteBack;
  problems: ProblemFeed;
  isNew: boolean;
  hadWal: boolean;
}

/** Takes up what a sudden end left, in memory only, and counts what is lost. */
function recover({ database, log, sessions, losses, writes, problems, isNew, hadWal }: RecoverParts): void {
  const { content } = log;
  const recovery = new Recovery({
    database,
    losses,
    sessions,
    take: (session, events) => writes.take(session, events),
    tell: problems.tell,
  });
  recovery.takeAside();
  if (isNew) {
    const commits = Math.max(content.header?.commits ?? 0, content.commits.length);
    if (hadWal || commits > 0)
      losses.add(
        `the database is missing, and with it ${commits === 0 ? 'what its write-ahead log belongs to' : `up to ${commits} commits`}`,
      );
  } else if (!isOfDatabase(content, database)) {
    if (content.commits.length > 0) losses.add(`the ${content.commits.length} commits in its log are those of another journal`);
    return;
  } else {
    countLosses(content, database, losses);
    if (database.wasLeftOpen && log.wasMissing)
      losses.add(`the log of the newest commits is missing (${log.path}): it was deleted, or the file was copied without it`);
  }
  recovery.takeLog(content);
}

function keepAside(path: string, log: CommitLog, wal: KeptWal): string[] {
  const base = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
  const kept: string[] = [];
  if (log.bytes.length > 0) {
    writeFileSync(`${base}-log`, log.bytes, { mode: 0o600, flag: 'wx' });
    kept.push(`${base}-log`);
  }
  if (!wal.isEmpty) {
    wal.copyTo(`${base}-wal`);
    kept.push(`${base}-wal`);
  }
  return kept.length === 0 ? ['none was left'] : kept;
}
