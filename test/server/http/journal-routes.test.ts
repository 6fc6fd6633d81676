import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { accessLimits } from '../../../src/core/protocol/limits.ts';
import { MemoryJournal } from '../../../src/journal/memory/memory-journal.ts';
import { openSqliteJournal } from '../../../src/journal/sqlite/sqlite-journal.ts';
import { createToken } from '../../../src/server/access/tokens/token-changes.ts';
import { http, startServer } from '../../helpers/start-server.ts';

test('an admin who reaches every session gets the journal as a file that can be opened, and nothing of it stays behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const admin = createToken(tokenFile, { name: 'all', role: 'admin' }).text;
  const some = createToken(tokenFile, { name: 'some', role: 'admin', sessions: ['ci-*'] }).text;
  const server = await startServer({ tokenFile, asksEverybody: true });
  await server.journal.append('s', [{ type: 'a:b', data: { n: 1 }, timestamp: '2026-01-01T00:00:00.000Z' }]);
  const ask = (token: string) => fetch(`${server.url}/api/journal/backup`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask(some)).status).toBe(403);
  const answer = await ask(admin);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/vnd.sqlite3']);
  const path = join(folder, 'copy.db');
  writeFileSync(path, Buffer.from(await answer.arrayBuffer()), { mode: 0o600 });
  expect(readdirSync(server.folder).filter((name) => name.includes('backup'))).toEqual([]);
  const copy = await openSqliteJournal({ path });
  onTestFinished(() => copy.close());
  expect(await copy.sessions()).toEqual(await server.journal.sessions());
  // A caller that goes away in the middle leaves nothing either, and the next one is served.
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET /api/journal/backup HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${admin}\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  expect((await ask(admin)).status).toBe(200);
  expect(readdirSync(server.folder).filter((name) => name.includes('backup'))).toEqual([]);
});

const open = '/proc/self/fd';

test.skipIf(!existsSync(open))(
  'a caller that goes away, before its copy is made or while it is sent, keeps no file open; and one token has a few at a time',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-backup-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const tokenFile = join(folder, 'tokens');
    const admin = createToken(tokenFile, { name: 'all', role: 'admin' }).text;
    const server = await startServer({ tokenFile, asksEverybody: true });
    // More than the buffers of a connection hold.
    const events = Array.from({ length: 40 }, () => ({ type: 'a:b', data: { text: randomBytes(250_000).toString('hex') } }));
    for (const event of events) await server.journal.append('s', [{ ...event, timestamp: '2026-01-01T00:00:00.000Z' }]);
    const ask = () => {
      const socket = connect(server.port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.write(`GET /api/journal/backup HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${admin}\r\n\r\n`);
      return socket;
    };
    const answered = (socket: Socket) =>
      new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data.subarray(0, 15)))));
    const copies = () => readdirSync(open).filter((fd) => linkOf(fd).includes(`${server.folder}/journal.sqlite-backup`)).length;
    const [write, made] = [server.journal.backup.bind(server.journal), Promise.withResolvers<void>()];
    const asked = Promise.withResolvers<void>();
    server.journal.backup = async () => {
      asked.resolve();
      await made.promise;
      return write();
    };
    const early = ask();
    await asked.promise;
    early.destroy();
    made.resolve();
    const sockets: Socket[] = [];
    const status = () => answered(sockets[sockets.push(ask()) - 1] as Socket);
    await expect.poll(status).toBe('HTTP/1.1 200 OK');
    await expect.poll(copies).toBe(1);
    // Each copy takes its room on the disk until it was sent.
    while (copies() < accessLimits.dearReads) expect(await status()).toBe('HTTP/1.1 200 OK');
    expect(await status()).toBe('HTTP/1.1 429 To');
    for (const socket of sockets) socket.destroy();
    await expect.poll(copies).toBe(0);
    expect(await status()).toBe('HTTP/1.1 200 OK');
  },
);

function linkOf(fd: string): string {
  try {
    return readlinkSync(join(open, fd));
  } catch {
    return '';
  }
}

test('a journal in memory has none', async () => {
  const server = await startServer({ journal: new MemoryJournal() });
  expect(await http('GET', `${server.url}/api/journal/backup`)).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED' } });
});
