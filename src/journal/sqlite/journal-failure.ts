import { ShannonDashError } from '../../core/protocol/errors.ts';
import { reasonOf } from './database/sqlite-codes.ts';

export function journalFailure(verb: 'read' | 'written' | 'copied', cause: unknown): ShannonDashError {
  return new ShannonDashError('JOURNAL_FAILED', `The journal could not be ${verb}: ${reasonOf(cause)}`, undefined, { cause });
}
