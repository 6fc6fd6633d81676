import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openJournalAt } from '../../src/journal/open-journal.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

async function locationOf(location: string): Promise<string> {
  const journal = await openJournalAt(location);
  onTestFinished(() => journal.close());
  return journal.location;
}

test.each(['memory', 'memory:'])('%s is a journal in memory', async (location) => {
  expect(await locationOf(location)).toBe('memory');
});

test.each([
  ['a path', (path: string) => path],
  ['a relative path', (path: string) => relative('.', path)],
  ['file:', (path: string) => `file:${path}`],
  ['file://', (path: string) => pathToFileURL(path).href],
])('%s is a journal in SQLite', async (_, location) => {
  const path = join(await temporaryFolder(), 'my journal.db');
  expect(await locationOf(location(path))).toBe(path);
  expect(existsSync(path)).toBe(true);
});

test.each([
  ['postgres://ci:pa/ss:word@db.example/dash', 'postgres'],
  ['redis://:secret@db.example', 'redis'],
  ['file://elsewhere.example/journal.db', 'file'],
])('%s is refused with a sentence that shows no password', async (location, scheme) => {
  await expect(openJournalAt(location)).rejects.toMatchObject({
    code: 'JOURNAL_FAILED',
    message: `cannot open a journal at ${scheme}://: it is kept in a file, which a path names, or in memory`,
    details: { reason: 'failed' },
  });
});
