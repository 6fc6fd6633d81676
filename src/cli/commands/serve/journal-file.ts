import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ShannonDashError } from '../../../core/protocol/errors.ts';
import type { Journal } from '../../../journal/journal.ts';
import type { OpenRefusalDetails } from '../../../journal/sqlite/open-refusal.ts';
import { pathBesideJournal } from '../../../journal/journal-location.ts';
import { Failure } from '../../failure.ts';
import { userFolders } from '../../settings/user-folders.ts';
import { firstTokenFiles } from './first-tokens.ts';

/** Older ones can corrupt a database when its WAL is reset (fixed in 3.51.3). */
const soundSqlite = [3, 51, 3];

export interface JournalSetting {
  /** A file, `memory`, or a URL of PostgreSQL. */
  path: string;
  fsync: boolean;
  /** Whether the command takes `--journal` and `--accept-loss`. */
  hasFlag?: boolean;
  /** Opens it although something that was acknowledged is gone. */
  acceptLoss?: boolean | undefined;
}

/**
 * Opens the journal that the settings name.
 * @throws Failure a sentence with the path and the next step
 */
export async function openJournal({ path, fsync, hasFlag = true, acceptLoss = false }: JournalSetting): Promise<Journal> {
  hideSqliteWarning();
  const { openJournalAt } = await import('../../../journal/open-journal.ts');
  try {
    return await openJournalAt(path, { fsync, acceptLoss });
  } catch (cause) {
    const { message, details } = cause as ShannonDashError;
    const refusal = details as OpenRefusalDetails;
    throw new Failure('JOURNAL_FAILED', inWords(message), {
      hints: [
        ...hintsOf(refusal),
        `use another file:   ${hasFlag ? '--journal PATH   (SHANNON_DASH_JOURNAL)' : 'SHANNON_DASH_JOURNAL=PATH'}`,
        `keep nothing:       ${hasFlag ? '--journal memory' : 'SHANNON_DASH_JOURNAL=memory'}`,
      ],
      cause,
    });
  }
}

function hintsOf({ reason, url }: OpenRefusalDetails): string[] {
  if (reason === 'in_use') return [`use that server:    shannon-dash stats${url === undefined ? '' : ` --url ${url}`}`];
  if (reason === 'loss') return ['go on without it:   shannon-dash serve --accept-loss   (damaged files are kept beside the journal)'];
  if (reason === 'damaged') return ['keep what is left:  shannon-dash journal check --repair   (the damaged file is kept beside it)'];
  if (reason === 'newer') return ['update this one:    npm install -g shannon-dash'];
  return [];
}

/** The files of a journal, by their real paths: its own, and those beside it; none of one in memory. */
export function filesOfJournal(location: string): string[] {
  const path = pathBesideJournal(location, userFolders().state);
  if (path === undefined) return [];
  const file = realPath(resolve(path));
  const endings = [
    '',
    '-log',
    '-wal',
    '-shm',
    '-journal',
    '-backup-unfinished',
    '-tokens',
    '-tokens-new',
    '-tokens-lock',
    '-tokens-used',
    '-tokens-used-new',
    '-notified',
    '-notified-new',
  ];
  return [...endings.map((ending) => `${file}${ending}`), ...firstTokenFiles(file)];
}

/** Without the links on its way, as far as there is one. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** A sentence about this Node's SQLite, where it has the flaw. */
export function sqliteFlaw(version: string = process.versions.sqlite ?? '0'): string | undefined {
  const parts = version.split('.').map(Number);
  const at = soundSqlite.findIndex((part, index) => part !== (parts[index] ?? 0));
  if (at === -1 || (parts[at] ?? 0) > (soundSqlite[at] ?? 0)) return undefined;
  return `SQLite ${version} in this Node (${process.versions.node}) has a flaw that can damage a journal when two programs write it; let only this server open it, or update Node`;
}

/** Node 22 warns that `node:sqlite` is experimental: true, and nothing that a user could act on. */
export function hideSqliteWarning(): void {
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('SQLite is an experimental feature')) emitWarning(warning, ...rest);
  };
}

/** `EACCES: permission denied, open '/x'` as `permission denied`. */
function inWords(message: string): string {
  return message.replace(/E[A-Z]+: ([^,]+), \w+ '[^']*'$/, '$1');
}
