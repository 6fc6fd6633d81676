import { ShannonDashError } from '../core/protocol/errors.ts';
import { placeOfJournal } from './journal-location.ts';
import type { Journal } from './journal.ts';
import type { OpenRefusalDetails } from './sqlite/open-refusal.ts';
import type { SqliteJournalOptions } from './sqlite/sqlite-journal.ts';

/**
 * Opens the journal at a location, with the keeper that its scheme names: `memory:`, a path or `file:`, `postgres:`.
 * @throws ShannonDashError JOURNAL_FAILED a sentence, and `details` as OpenRefusalDetails
 */
export async function openJournalAt(location: string, options: Omit<SqliteJournalOptions, 'path'> = {}): Promise<Journal> {
  const place = placeOfJournal(location);
  if (place.kind === 'memory') {
    const { MemoryJournal } = await import('./memory/memory-journal.ts');
    return new MemoryJournal();
  }
  if (place.kind === 'file') {
    const { openSqliteJournal } = await import('./sqlite/sqlite-journal.ts');
    return openSqliteJournal({ ...options, path: place.path });
  }
  if (place.kind === 'postgres') {
    const { openPostgresJournal } = await import('./postgres/postgres-journal.ts');
    return openPostgresJournal(place.url);
  }
  const details: OpenRefusalDetails = { reason: 'failed' };
  // The rest of the URL may hold a password.
  const sentence = `cannot open a journal at ${place.scheme}://: it is kept in a file, which a path names, in PostgreSQL, or in memory`;
  throw new ShannonDashError('JOURNAL_FAILED', sentence, details);
}
