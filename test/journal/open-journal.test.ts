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
  ['redis://:secret@db.example', 'redis'],
  ['file://elsewhere.example/journal.db', 'file'],
])('%s is refused with a sentence that shows no password', async (location, scheme) => {
  await expect(openJournalAt(location)).rejects.toMatchObject({
    code: 'JOURNAL_FAILED',
    message: `cannot open a journal at ${scheme}://: it is kept in a file, which a path names, in PostgreSQL, or in memory`,
    details: { reason: 'failed' },
  });
});

test.each([
  ['postgres://ci:secret@db.example/dash', 'must hold no password'],
  ['postgresql://db.example/dash?password=secret', 'must hold no password'],
  ['postgres://ci:pa/ss:word@db.example/dash', ''],
  ['postgres://127.0.0.1:1/dash', 'ECONNREFUSED'],
  ['postgres://127.0.0.1:1/dash?schema=a;b', 'is no name for a schema'],
])('%s is refused with a sentence that shows no password', async (location, reason) => {
  const refused = await openJournalAt(location).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'JOURNAL_FAILED', details: { reason: 'failed' } });
  const { message } = refused as Error;
  expect(message).toMatch(/^cannot open the journal in PostgreSQL: ./);
  expect(message).toContain(reason);
  expect(message).not.toMatch(/secret|word@/);
});
