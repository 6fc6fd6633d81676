import { setTimeout as wait } from 'node:timers/promises';
import { callApi } from '../../../client/sessions-api.ts';
import type { ShannonDashError } from '../../../core/protocol/errors.ts';
import type { Journal } from '../../../journal/journal.ts';
import type { OpenRefusalDetails } from '../../../journal/sqlite/open-refusal.ts';
import { Failure } from '../../failure.ts';
import { ServerStartLock } from '../../server-access/server-start-lock.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Output } from '../../terminal/output.ts';
import { filesOfJournal, openJournal, type JournalSetting } from './journal-file.ts';

const answerMs = 2_000;
/** How long the server before may take to end: a little more than its longest stop. */
const endMs = 6_000;
const lookAgainMs = 50;

/** Which server has a journal, as far as the journal says. */
export function holderOfJournal(failure: unknown): OpenRefusalDetails | undefined {
  const details =
    failure instanceof Failure ? ((failure.cause as ShannonDashError | undefined)?.details as OpenRefusalDetails | undefined) : undefined;
  return details?.reason === 'in_use' ? details : undefined;
}

/**
 * Opens the journal. A server at the same port that a run started for itself is ended first: it would end by itself once nobody
 * uses it, and its clients come to this one and miss nothing.
 * @returns the journal; opened: to be called once this server listens or has failed
 * @throws Failure another server has the journal, or as `openJournal`
 */
export async function takeOverJournal(
  journal: JournalSetting,
  { port, token }: Pick<Settings, 'port' | 'token'>,
  output: Output,
): Promise<{ journal: Journal; opened: () => void }> {
  try {
    return { journal: await openJournal(journal), opened: () => undefined };
  } catch (failure) {
    const { pid, url } = holderOfJournal(failure) ?? {};
    if (pid === undefined || url === undefined || Number(new URL(url).port) !== port) throw failure;
    const stats = await callApi('stats', {}, { url, token, timeoutMs: answerMs }).catch(() => undefined);
    // Whoever answers there must be that server: it says that it has this journal.
    const isThat = stats?.journal.location !== undefined && filesOfJournal(stats.journal.location)[0] === filesOfJournal(journal.path)[0];
    if (stats?.ends_when_unused !== true || !isThat) throw failure;
    // The runs whose server goes away start none meanwhile.
    const lock = ServerStartLock.take(url);
    const opened = () => lock?.release();
    try {
      output.note(`takes over from the server that run started (process ${pid})`);
      process.kill(pid, 'SIGTERM');
      return { journal: await openFreed(journal), opened };
    } catch (error) {
      opened();
      throw error;
    }
  }
}

/** Opens a journal that its server is just closing. */
async function openFreed(journal: JournalSetting): Promise<Journal> {
  for (const until = performance.now() + endMs; ;) {
    try {
      return await openJournal(journal);
    } catch (error) {
      if (holderOfJournal(error) === undefined || performance.now() > until) throw error;
      await wait(lookAgainMs);
    }
  }
}
