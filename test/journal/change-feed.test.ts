import { expect, test } from 'vitest';
import { ChangeFeed } from '../../src/journal/change-feed.ts';
import type { JournalChange } from '../../src/journal/journal.ts';

test.each(['tell', 'tellSoon'] as const)('however many changes one commit brings, all are told (%s)', (method) => {
  const feed = new ChangeFeed();
  const told: number[] = [];
  feed.subscribe((changes) => told.push(changes.length));
  feed[method](Array.from({ length: 300_000 }, (): JournalChange => ({ kind: 'deleted', session_id: 's' })));
  feed.tell();
  expect(told).toEqual([300_000]);
});
