import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { sqliteCodeOf } from '../database/sqlite-codes.ts';
import { OpenRefusal, type OpenRefusalDetails } from '../open-refusal.ts';
import { codeOf, takenBy } from './sqlite-file.ts';

/** Why a journal could not be opened, as a sentence. */
export function openFailure(path: string, error: unknown): ShannonDashError {
  const refusal = error instanceof OpenRefusal ? error : refusalOf(path, error);
  const details: OpenRefusalDetails = refusal.details;
  return new ShannonDashError('JOURNAL_FAILED', `cannot open the journal ${path}: ${refusal.message}`, details, { cause: error });
}

function refusalOf(path: string, cause: unknown): OpenRefusal {
  const code = codeOf(cause);
  if (code === 'EACCES' || code === 'EPERM') return new OpenRefusal('denied', 'it may not be read and written by this user', { cause });
  if (code === 'EROFS') return new OpenRefusal('denied', 'it lies where nothing can be written', { cause });
  const sqliteCode = sqliteCodeOf(cause);
  // Result codes of SQLite (https://sqlite.org/rescode.html): BUSY, LOCKED; CORRUPT, NOTADB.
  if (sqliteCode === 5 || sqliteCode === 6) return takenBy(path, cause);
  if (sqliteCode === 11 || sqliteCode === 26) return new OpenRefusal('damaged', 'it is not a SQLite file, or it is damaged', { cause });
  return new OpenRefusal('failed', cause instanceof Error ? cause.message : String(cause), { cause });
}
