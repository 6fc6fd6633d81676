import { describe } from 'vitest';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { newPostgresJournal } from '../helpers/postgres-journal.ts';
import { hasPostgres } from '../helpers/postgres-server.ts';
import { describeHistoryParts } from './history-parts-contract.ts';
import { describeJournal, type JournalKind } from './journal-contract.ts';
import { describeRetention } from './retention-contract.ts';

describe.skipIf(!hasPostgres)('with a PostgreSQL at hand', () => {
  const kind: JournalKind = {
    open: () => openPostgresJournal(newPostgresJournal()),
    reopen: async (journal) => {
      await journal.close();
      return openPostgresJournal(journal.location);
    },
  };
  describeJournal('a journal in PostgreSQL', kind);
  describeHistoryParts('a journal in PostgreSQL', kind);
  describeRetention('a journal in PostgreSQL', kind);
});
