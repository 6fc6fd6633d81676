import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { describeHistoryParts } from './history-parts-contract.ts';
import { describeJournal } from './journal-contract.ts';
import { describeRetention } from './retention-contract.ts';
import { describeLocalJournal } from './local-journal-contract.ts';

const open = () => Promise.resolve(new MemoryJournal());
describeJournal('a journal in memory', { open });
describeHistoryParts('a journal in memory', { open });
describeRetention('a journal in memory', { open });
describeLocalJournal('a journal in memory', open);

test('a journal in memory says so, and takes no disk', () => {
  const journal = new MemoryJournal();
  expect([journal.location, journal.sizeBytes()]).toEqual(['memory', 0]);
});
