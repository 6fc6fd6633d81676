import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { LocalUsers } from '../../src/server/access/local-users.ts';
import { KernelSockets } from '../../src/server/kernel-sockets.ts';

let server: Server;
let kernel: KernelSockets;
let users: LocalUsers;

beforeEach(async () => {
  kernel = new KernelSockets();
  users = new LocalUsers(kernel);
  server = createServer().listen(0, '::');
  await once(server, 'listening');
});

afterEach(() => {
  kernel.close();
  server.close();
});

const serverPort = () => (server.address() as AddressInfo).port;

/** Cuts a connection; resolves once the server's end is closed. */
async function cut(client: Socket, accepted: Socket): Promise<void> {
  const closed = new Promise((resolve) => accepted.on('error', () => undefined).once('close', resolve));
  accepted.resume();
  client.resetAndDestroy();
  await closed;
}

/** Opens a connection; gives this end and the server's. */
async function open(host: string, localAddress?: string): Promise<{ client: Socket; accepted: Socket }> {
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const client = connect({ host, port: serverPort(), ...(localAddress === undefined ? {} : { localAddress }) });
  const [accepted] = await connection;
  onTestFinished(() => {
    client.destroy();
    accepted.destroy();
  });
  return { client, accepted };
}

/** Has a process of another user connect from an address and a port; gives the server's end. */
async function openAsNobody(from: { localAddress: string; localPort: number }): Promise<Socket> {
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const to = { host: '127.0.0.1', port: serverPort(), ...from };
  const script = `require('node:net').connect(${JSON.stringify(to)}).on('error', () => undefined)`;
  const child = spawn(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534, env: {}, cwd: '/', stdio: 'inherit' });
  onTestFinished(() => void child.kill());
  const [accepted] = await connection;
  onTestFinished(() => void accepted.destroy());
  return accepted;
}

test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.0.0.2'])(
  'a process of the same user that connects to %s is known',
  async (host) => {
    const { accepted } = await open(host);
    expect(await users.isOwn(accepted)).toBe(true);
  },
);

test('many connections that come at once are all known, also while the table has many rows', async () => {
  const opened: Socket[] = [];
  for (let at = 0; at < 300; at++) opened.push((await open(at % 2 === 0 ? '127.0.0.1' : '::1')).accepted);
  expect((await Promise.all(opened.map(async (socket) => users.isOwn(socket)))).filter((isOwn) => isOwn)).toHaveLength(300);
});

test.skipIf(process.getuid?.() !== 0 || !existsSync('/proc/net/tcp'))(
  'a process of another user is told from the own one whose port it has taken',
  async () => {
    // An address that no other program of the machine connects from: none can take the port in between.
    const localAddress = '127.0.0.77';
    const { client, accepted } = await open('127.0.0.1', localAddress);
    expect(await users.isOwn(accepted)).toBe(true);
    const localPort = client.localPort ?? 0;
    await cut(client, accepted);
    const foreign = await openAsNobody({ localAddress, localPort });
    expect(foreign.remotePort).toBe(localPort);
    expect(await users.isOwn(foreign)).toBe(false);
  },
);
