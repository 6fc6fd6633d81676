import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';

// A process of its own for sqlite-journal.test.ts: opens the journal at argv[2]. With `write` it appends without end and
// prints every acknowledged seq; else it says whether it could open it, and ends.
const [, , path = '', mode] = process.argv;

try {
  const journal = await openSqliteJournal({ path });
  if (mode === 'write') {
    for (let n = 1; ; n += 3) {
      const events = [n, n + 1, n + 2].map((each) => ({ type: 'my:own', data: { n: each }, timestamp: new Date().toISOString() }));
      const { last_seq } = await journal.append('s', events);
      process.stdout.write(`${last_seq}\n`);
    }
  }
  await journal.close();
  console.log('opened');
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
}
