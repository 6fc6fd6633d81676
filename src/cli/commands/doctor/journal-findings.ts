import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { limits } from '../../../core/protocol/limits.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { careOfJournal } from '../../../journal/care-of-journal.ts';
import { pathBesideJournal, placeOfJournal } from '../../../journal/journal-location.ts';
import type { OpenRefusalDetails } from '../../../journal/sqlite/open-refusal.ts';
import { readTokenFile, tokenFileOf } from '../../../server/access/tokens/token-file.ts';
import { count, counted } from '../../../view/text/numbers.ts';
import type { Settings } from '../../settings/settings.ts';
import { userFolders } from '../../settings/user-folders.ts';
import { systemReason } from '../../terminal/system-reason.ts';
import { ok, problem, warning, type Finding } from '../hook/doctor/finding.ts';
import { hideSqliteWarning } from '../serve/journal-file.ts';

/** With less than this the next start may fail. */
const fullBytes = 16_000_000;
/** A clock may be a little behind the one that wrote the newest event. */
const aheadMs = 60_000;

/** @param isServed a server answers: it may have the journal */
export async function journalFinding({ journal }: Settings, isServed: boolean): Promise<Finding> {
  const place = placeOfJournal(journal);
  if (place.kind === 'memory') return warning('is in memory: all is gone when the server ends', 'name a file: --journal PATH');
  if (place.kind !== 'file') return ok(`is kept by ${place.scheme}; a server that starts looks at it`);
  const path = resolve(place.path);
  if (!existsSync(path)) return folderFinding(path);
  const file = statSync(path);
  if (process.getuid !== undefined && file.uid !== process.getuid()) {
    return problem(`${path} is another user's`, 'name another: --journal PATH   (SHANNON_DASH_JOURNAL)');
  }
  if (process.platform !== 'win32' && (file.mode & 0o077) !== 0)
    return warning(`others can read ${path}`, `take that away: chmod 600 ${path}`);
  hideSqliteWarning();
  try {
    const { sessions, events, updated_at } = await careOfJournal.info(path);
    if (Date.parse(updated_at ?? '') > Date.now() + aheadMs) {
      return warning(`its newest event is of ${updated_at}, which is ahead of this clock`, 'set the clock: timedatectl set-ntp true');
    }
    return ok(`${path}: ${counted(sessions, 'session')}, ${counted(events, 'event')}`);
  } catch (error) {
    if (!(error instanceof ShannonDashError)) throw error;
    const { reason, url } = (error.details ?? {}) as Partial<OpenRefusalDetails>;
    if (reason === 'in_use') return ok(`${path}, which ${url ?? (isServed ? 'the server' : 'another program')} has open`);
    return problem(error.message, 'see what is wrong: shannon-dash journal check');
  }
}

function folderFinding(path: string): Finding {
  const folder = nearestFolder(path);
  try {
    accessSync(folder, constants.W_OK);
    return ok(`${path} is made when a server starts`);
  } catch (error) {
    return problem(`${path} cannot be made in ${folder}: ${systemReason(error)}`, 'name another: --journal PATH   (SHANNON_DASH_JOURNAL)');
  }
}

export function diskFinding({ journal }: Settings): Finding {
  const path = pathBesideJournal(journal, userFolders().state) ?? process.cwd();
  const folder = nearestFolder(resolve(path));
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  const free = bavail * bsize;
  const megabytes = `${count(free / 1e6)} MB are free at ${folder}`;
  if (free < fullBytes) return problem(`only ${megabytes}`, 'make room: events are refused where the disk is full');
  if (files > 0 && ffree === 0) return problem(`no file can be made at ${folder}: it has no inodes left`, 'delete files there');
  if (free < limits.lowDiskBytes) return warning(`only ${megabytes}`, 'make room before it is full');
  return ok(megabytes);
}

export function tokensFinding({ journal }: Settings): Finding {
  const beside = pathBesideJournal(journal, userFolders().state);
  const path = beside === undefined ? undefined : tokenFileOf(beside);
  if (path === undefined || !existsSync(path)) return ok('there are none; only your own programs on this machine are let in');
  try {
    const tokens = readTokenFile(path);
    return ok(`${path}: ${counted(tokens.length, 'token')}`);
  } catch (error) {
    if (!(error instanceof ShannonDashError)) throw error;
    return problem(`no token counts: ${error.message}`, `see whose it is, then: chmod 600 ${path}`);
  }
}

function nearestFolder(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
