import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';

// A process of its own for the tests of this folder: opens the journal at argv[2]. With `write` it appends without end and prints every
// acknowledged seq; with `meanwhile` it waits until a repair has read the journal, opens it as soon as it can and appends one event; else
// it says whether it could open it, and ends.
const [, , path = '', mode] = process.argv;

const event = (n: number) => ({ type: 'my:own', data: { n }, timestamp: new Date().toISOString() });

/** Whether what a repair has read lies in the file that it makes, or that stands in its place already. */
function isRead(): boolean {
  const names = readdirSync(dirname(path));
  const sizes = names.map((name) => statSync(join(dirname(path), name, 'journal.db'), { throwIfNoEntry: false })?.size);
  return sizes.some((size = 0) => size > statSync(path).size / 2) || names.some((name) => name.includes('.damaged-'));
}

async function openedSoon(): Promise<Journal> {
  for (;;) {
    try {
      return await openSqliteJournal({ path, acceptLoss: true });
    } catch {
      // The repair has it.
    }
  }
}

try {
  if (mode === 'meanwhile') {
    console.log('looks');
    while (!isRead()) await new Promise(setImmediate);
    const journal = await openedSoon();
    await journal.append('meanwhile', [event(1)]);
    await journal.close();
  } else {
    const journal = await openSqliteJournal({ path });
    if (mode === 'write') {
      for (let n = 1; ; n += 3) {
        const { last_seq } = await journal.append('s', [n, n + 1, n + 2].map(event));
        process.stdout.write(`${last_seq}\n`);
      }
    }
    await journal.close();
    console.log('opened');
  }
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
}
