import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { callApi } from '../../../client/sessions-api.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { careOfJournal, careOfShared } from '../../../journal/care-of-journal.ts';
import { placeOfJournal } from '../../../journal/journal-location.ts';
import type { OpenRefusalDetails } from '../../../journal/sqlite/open-refusal.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure, usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { downloadBackup } from '../../server-access/download.ts';
import { listSessions } from '../../server-access/live-sessions.ts';
import { isHere } from '../../server-access/local-server.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Output } from '../../terminal/output.ts';
import { systemReason } from '../../terminal/system-reason.ts';
import { filesOfJournal, hideSqliteWarning, openJournal } from '../serve/journal-file.ts';
import type { JournalAction, JournalOptions } from './definition.ts';
import { tellBackup, tellCheck, tellCompact, tellInfo, tellRebuild, tellRepair } from './report.ts';
import { atOneServer } from '../../server-access/server-request.ts';

const answerMs = 10_000;

/** Cares for the file of the journal; a server that has it is asked where it must be. */
export async function journal({ args: [action, file], options, settings, output }: Invocation<JournalOptions>): Promise<number | void> {
  checkUsage(action as JournalAction, file, options);
  const place = placeOfJournal(settings.journal);
  // With the URL of another machine its server is asked, whatever keeps its journal.
  if (place.kind === 'postgres' && isHere(settings.url)) return shared(action as JournalAction, options, place.url, output);
  hideSqliteWarning();
  switch (action as JournalAction) {
    case 'info':
      return info(settings, output);
    case 'check':
      return options.repair === true ? repair(settings, output) : check(settings, output);
    case 'backup':
      return backup(settings, resolve(file ?? ''), output);
    case 'compact':
      return tellCompact(await alone(careOfJournal.compact, fileOf(settings)), output);
    case 'rebuild-rollups':
      return tellRebuild(await alone(careOfJournal.forgetStates, fileOf(settings)), output);
  }
}

function checkUsage(action: JournalAction, file: string | undefined, { repair: repairs }: JournalOptions): void {
  if (action === 'backup' && file === undefined)
    throw usageFailure('journal backup needs the name of a new file', 'such as: shannon-dash journal backup ./journal-backup.db');
  if (action !== 'backup' && file !== undefined)
    throw usageFailure(`journal ${action} takes no file`, `name a journal so: shannon-dash journal ${action} --journal ${file}`);
  if (repairs === true && action !== 'check')
    throw usageFailure(`--repair does not go with journal ${action}`, 'such as: shannon-dash journal check --repair');
}

/** Cares for a journal in PostgreSQL. @throws Failure that is the matter of PostgreSQL's own tools */
async function shared(action: JournalAction, { repair: repairs }: JournalOptions, url: string, output: Output): Promise<number | void> {
  const care = await careOfShared();
  if (action === 'info') return tellInfo(await alone(care.info, url), output);
  if (action === 'check' && repairs !== true) return tellCheck(await alone(care.check, url), output, { isInPostgres: true });
  if (action === 'rebuild-rollups') return tellRebuild(await alone(care.forgetStates, url), output);
  const own = { backup: 'pg_dump writes one', compact: 'VACUUM FULL gives room back', check: 'restore a backup of the database' } as const;
  const what = action === 'check' ? 'journal check --repair' : `journal ${action}`;
  throw usageFailure(`${what} is for a journal in a file, and this one is in PostgreSQL`, `there: ${own[action]}`);
}

/** @throws Failure there is none */
function fileOf({ journal: location }: Settings): string {
  const place = placeOfJournal(location);
  if (place.kind !== 'file')
    throw usageFailure(
      place.kind === 'memory' ? 'a journal in memory has no file' : `${place.scheme}:// is no journal in a file`,
      'name one: --journal PATH   (SHANNON_DASH_JOURNAL)',
    );
  if (existsSync(place.path)) return place.path;
  throw new Failure('NOT_FOUND', `there is no journal at ${place.path}`, {
    hints: existsSync(`${place.path}-log`)
      ? [`its log is there: what that has is kept by shannon-dash serve --accept-loss --journal ${place.path}`]
      : ['name one: --journal PATH   (SHANNON_DASH_JOURNAL)'],
  });
}

async function info(settings: Settings, output: Output): Promise<void> {
  if (!isHere(settings.url)) return tellInfo(await infoOf(settings), output);
  await orAsk(fileOf(settings), settings, {
    here: async (path) => tellInfo(await careOfJournal.info(path), output),
    there: async (holder) => tellInfo(await infoOf(holder), output),
  });
}

/** What a server tells of its journal. */
async function infoOf(settings: Settings & { pid?: number | undefined }) {
  const { url, token } = settings;
  const { journal: figures } = await callApi('stats', {}, { url, token, timeoutMs: answerMs });
  const sessions = await listSessions(settings);
  const [created_at = null] = sessions.map((each) => each.created_at).toSorted();
  return {
    path: figures.location ?? null,
    size_bytes: figures.size_bytes,
    sessions: sessions.length,
    events: sessions.reduce((sum, { seq }) => sum + seq, 0),
    created_at,
    updated_at:
      sessions
        .map((each) => each.updated_at)
        .toSorted()
        .at(-1) ?? null,
    server: { url, ...(settings.pid === undefined ? {} : { pid: settings.pid }) },
  };
}

async function check(settings: Settings, output: Output): Promise<number> {
  const path = fileOf(settings);
  return orAsk(path, settings, {
    here: async () => tellCheck(await careOfJournal.check(path), output),
    async there(holder) {
      output.note(`the server at ${holder.url} has the journal: a backup of it is checked`);
      const folder = mkdtempSync(join(dirname(path), '.shannon-dash-check-'));
      try {
        const copy = join(folder, 'journal.db');
        await downloadBackup(holder, copy);
        return tellCheck({ ...(await careOfJournal.check(copy)), path }, output);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  });
}

async function repair(settings: Settings, output: Output): Promise<void> {
  tellRepair(await alone(careOfJournal.repair, fileOf(settings)), output);
}

async function backup(settings: Settings, target: string, output: Output): Promise<void> {
  if (existsSync(target)) throw usageFailure(`${target} is there already, and nothing is written over it`, 'name a new file');
  try {
    if (!isHere(settings.url)) await downloadBackup(await atOneServer(settings), target);
    else
      await orAsk(fileOf(settings), settings, {
        async here(path) {
          const opened = await openJournal({ path, fsync: false });
          try {
            await opened.backup(target);
          } finally {
            await opened.close();
          }
        },
        there: (holder) => downloadBackup(holder, target),
      });
  } catch (error) {
    if (error instanceof ShannonDashError) throw error;
    throw new Failure('INTERNAL', `the backup cannot be written to ${target}: ${systemReason(error)}`, {
      hints: ['make room, or name a file in another folder'],
      cause: error,
    });
  }
  tellBackup({ file: target, bytes: statSync(target).size }, output);
}

/** Works with the journal itself, or where a server has it asks that. */
async function orAsk<Result>(
  path: string,
  settings: Settings,
  { here, there }: { here: (path: string) => Promise<Result>; there: (holder: Settings & { pid?: number | undefined }) => Promise<Result> },
): Promise<Result> {
  try {
    return await here(path);
  } catch (error) {
    const { reason, url, pid } = refusalIn(error);
    if (reason !== 'in_use' || url === undefined) throw inWords(error);
    const { journal } = await callApi('stats', {}, { url, token: settings.token, timeoutMs: answerMs });
    // A server also has the journals of its tenants, and answers for its own only.
    if (journal.location !== undefined && filesOfJournal(journal.location)[0] !== filesOfJournal(path)[0])
      throw new Failure('CONFLICT', `the server at ${url} has ${path} for a tenant, and gives only its own journal`, {
        hints: hintsOf('in_use', pid),
        exitCode: exitCodes.refused,
        cause: error,
      });
    return there({ ...settings, url, pid });
  }
}

/** Works with a journal that no server may have meanwhile. */
async function alone<Result>(work: (path: string) => Promise<Result>, path: string): Promise<Result> {
  try {
    return await work(path);
  } catch (error) {
    throw inWords(error);
  }
}

function refusalIn(error: unknown): Partial<OpenRefusalDetails> {
  const { details } = (error instanceof Failure ? error.cause : error) as { details?: Partial<OpenRefusalDetails> };
  return details ?? {};
}

function inWords(error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof ShannonDashError)) return error;
  const { reason, pid } = refusalIn(error);
  if (reason === undefined) return error;
  return new Failure(error.code, error.message, { hints: hintsOf(reason, pid), cause: error });
}

function hintsOf(reason: OpenRefusalDetails['reason'], pid: number | undefined): string[] {
  switch (reason) {
    case 'in_use':
      return [`end the server first${pid === undefined ? '' : `:  kill ${pid}`}`];
    case 'damaged':
    case 'failed':
      return ['see what is wrong: shannon-dash journal check', 'keep what can be read: shannon-dash journal check --repair'];
    case 'newer':
      return ['update shannon-dash:  npm install -g shannon-dash'];
    case 'denied':
      return ['run it as the user whose journal it is'];
    default:
      return ['name another: --journal PATH   (SHANNON_DASH_JOURNAL)'];
  }
}
