/**
 * A server in a process of its own: `node serve-journal.ts JOURNAL PORT`. Says where it listens in one line of JSON,
 * closes on SIGTERM and then ends because nothing is left to do, never by process.exit.
 */
import { dirname } from 'node:path';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { createServer } from '../../src/server/create-server.ts';

const [path = '', port = '0'] = process.argv.slice(2);
const server = await createServer({ journal: await openSqliteJournal({ path }), projectFolder: dirname(path) });
const address = await server.listen({ port: Number(port) });
process.stdout.write(`${JSON.stringify(address)}\n`);
process.once('SIGTERM', () => {
  void server.close();
});
