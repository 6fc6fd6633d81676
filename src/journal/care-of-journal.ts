import { ShannonDashError } from '../core/protocol/errors.ts';
import { checkJournal, type JournalCheck } from './sqlite/care/check.ts';
import { compactJournal, forgetStates, infoOfJournal, type JournalInfo } from './sqlite/care/info.ts';
import { repairJournal, type JournalRepair } from './sqlite/care/repair.ts';
import { openFailure } from './sqlite/files/open-failure.ts';

/** What is done with a journal in PostgreSQL. Its client is loaded only for that. */
export const careOfShared = async () => (await import('./postgres/postgres-care.ts')).careOfPostgres;

/**
 * What is done with the file of a journal that no server has.
 * @throws ShannonDashError JOURNAL_FAILED a sentence, and `details` as OpenRefusalDetails
 */
export const careOfJournal = {
  info: (path: string): Promise<JournalInfo> => told(path, infoOfJournal),
  check: (path: string): Promise<JournalCheck> => told(path, checkJournal),
  repair: (path: string): Promise<JournalRepair> => told(path, repairJournal),
  compact: (path: string): Promise<{ path: string; before: number; after: number }> => told(path, compactJournal),
  forgetStates: (path: string): Promise<{ path: string; sessions: number }> => told(path, forgetStates),
};

async function told<Result>(path: string, work: (path: string) => Promise<Result>): Promise<Result> {
  try {
    return await work(path);
  } catch (error) {
    throw error instanceof ShannonDashError ? error : openFailure(path, error);
  }
}
