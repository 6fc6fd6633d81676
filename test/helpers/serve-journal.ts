/**
 * A server in a process of its own: `node serve-journal.ts JOURNAL PORT`. Says where it listens in one line of JSON,
 * closes on SIGTERM and then ends because nothing is left to do, never by process.exit.
 */
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { openJournalAt } from '../../src/journal/open-journal.ts';
import { createServer } from '../../src/server/create-server.ts';

const [location = '', port = '0'] = process.argv.slice(2);
const projectFolder = location.includes('://') ? tmpdir() : dirname(location);
const server = await createServer({ journal: await openJournalAt(location), projectFolder });
const address = await server.listen({ port: Number(port) });
process.stdout.write(`${JSON.stringify(address)}\n`);
process.once('SIGTERM', () => {
  void server.close();
});
