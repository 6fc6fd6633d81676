import { ShannonDashError } from '../../core/protocol/errors.ts';
import { ConnectionCut } from './postgres-connection.ts';

/** @param mayBeKept the connection was cut behind what was to be written, and nobody knows what became of it */
export function postgresFailure(verb: 'read' | 'written', cause: unknown, mayBeKept = false): ShannonDashError {
  if (cause instanceof ShannonDashError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = cause instanceof ConnectionCut ? `PostgreSQL cannot be reached (${text})` : `PostgreSQL says: ${text}`;
  const advice = mayBeKept ? '; it may have been kept: send it again with the same id' : '';
  return new ShannonDashError('JOURNAL_FAILED', `The journal could not be ${verb}: ${reason}${advice}`, undefined, { cause });
}
