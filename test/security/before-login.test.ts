import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { accessLimits } from '../../src/core/protocol/limits.ts';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { tokenFileOf } from '../../src/server/access/tokens/token-file.ts';
import { newToken } from '../../src/server/access/tokens/token-text.ts';
import { serve, type StartedProgram } from '../cli/started-program.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Connections of each kind, and wrong tokens. By hand: `CONNECTIONS=2000 WRONG_TOKENS=10000`, which prints figures. */
const connections = Number(process.env['CONNECTIONS'] ?? 300);
const wrongTokens = Number(process.env['WRONG_TOKENS'] ?? 500);
/** The whole of 127.0.0.0/8 is this machine: there strangers have addresses of their own. */
const [here, stranger] = ['127.0.0.1', '127.0.0.2'];

/** The program with a token for its admin. */
async function serveGuarded(...args: string[]) {
  const journal = `${await temporaryFolder()}/journal.db`;
  const token = createToken(tokenFileOf(journal), { name: 'boss', role: 'admin' }).text;
  const { server, url } = await serve('--auth', '--journal', journal, ...args);
  return { server, port: Number(new URL(url).port), token, tokenFile: tokenFileOf(journal) };
}

interface Asked {
  from?: string;
  token?: string | undefined;
  headers?: Record<string, string>;
}

/** A request from an address of this machine, on a connection of its own. */
function ask(port: number, path: string, { from = here, token, headers = {} }: Asked = {}) {
  const sent = { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return new Promise<{ status: number | undefined; retryAfter: string | undefined; body: unknown }>((resolve, reject) => {
    const asked = request({ host: here, port, path, localAddress: from, headers: sent, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'], body: JSON.parse(text) as unknown }),
      );
    });
    asked.on('error', reject).end();
  });
}

/** A connection on which a text was sent, and what came back on it. */
class Connection {
  readonly socket: Socket;
  received = '';
  isClosed = false;

  constructor(port: number, text: string, from = stranger) {
    this.socket = connect({ port, host: here, localAddress: from });
    onTestFinished(() => void this.socket.destroy());
    this.socket.on('error', () => undefined).on('close', () => (this.isClosed = true));
    this.socket.setEncoding('latin1').on('data', (chunk: string) => (this.received += chunk));
    if (text !== '') this.socket.write(text);
  }
}

const head = (port: number, line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...headers, '', ''].join('\r\n');
const upgrade = (port: number) =>
  head(
    port,
    'GET /socket.io/?EIO=4&transport=websocket',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  );

function residentMebibytes({ child }: StartedProgram): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024;
}

test.skipIf(process.platform !== 'linux')(
  'connections without a token are few, and gone after seconds; others are answered meanwhile',
  async () => {
    const { server, port, token } = await serveGuarded();
    const own = await serve('--journal', 'memory');
    const ownPort = Number(new URL(own.url).port);
    // More than a stranger may have: to the server of one's own they are nothing special.
    const ofUser = Array.from({ length: accessLimits.unknownConnectionsPerAddress + 10 }, () => new Connection(ownPort, '', here));
    const kinds: Record<string, string> = {
      'idle TCP': '',
      'dripping headers': 'GET /api/sessions HTTP/1.1\r\nX-Drip: ',
      'handshake, then silence': head(port, 'GET /socket.io/?EIO=4&transport=polling'),
      'WebSocket without CONNECT': upgrade(port),
    };
    await ask(port, '/api/sessions', { token });
    for (const [kind, text] of Object.entries(kinds)) {
      const before = residentMebibytes(server);
      const startedAt = performance.now();
      const opened: Connection[] = [];
      // So many at a time that the system's queue holds them: an answer after them says that the server has accepted them.
      while (opened.length < connections) {
        const batch = Math.min(200, connections - opened.length);
        opened.push(...Array.from({ length: batch }, () => new Connection(port, text)));
        expect((await ask(port, '/api/sessions', { token })).status).toBe(200);
      }
      const drip = setInterval(() => opened.forEach(({ socket }) => text.endsWith(': ') && socket.writable && socket.write('x')), 200);
      onTestFinished(() => clearInterval(drip));
      let [answered, slowestMs] = [0, 0];
      const gone = async () => {
        const askedAt = performance.now();
        // With a new connection each time, from the address of the strangers too: it was good there before.
        expect((await ask(port, '/api/sessions', { token })).status).toBe(200);
        slowestMs = Math.max(slowestMs, performance.now() - askedAt);
        answered++;
        return opened.filter(({ isClosed }) => !isClosed).length;
      };
      await expect.poll(gone, { timeout: 15_000, interval: 100, message: kind }).toBe(0);
      clearInterval(drip);
      for (const { socket } of ofUser) if (socket.writable) socket.write(head(ownPort, 'GET /api/sessions'));
      await expect.poll(() => ofUser.filter(({ received }) => received.startsWith('HTTP/1.1 200')).length).toBe(ofUser.length);
      expect(answered).toBeGreaterThan(1);
      if (process.env['CONNECTIONS'] !== undefined) {
        const grown = residentMebibytes(server) - before;
        const tookMs = performance.now() - startedAt;
        console.log(
          `${kind}: ${connections} gone in ${Math.round(tookMs)} ms, +${grown.toFixed(1)} MiB, slowest answer ${Math.round(slowestMs)} ms`,
        );
      }
    }
  },
  90_000,
);

test('of a caller without a token no large body is read, and no large message', async () => {
  const { port, token } = await serveGuarded();
  const link = 'POST /api/sessions/s/decisions/d/answer/t';
  const json = 'Content-Type: application/json';
  const bodies: [string, ...string[]][] = [
    // Nothing of the body is ever sent: the answer does not wait for it.
    ['POST /api/sessions/s/events', json, 'Content-Length: 4000000'],
    ['POST /nowhere', json, 'Content-Length: 4000000'],
    [link, json, `Content-Length: ${accessLimits.loginBytes + 1}`],
    [link, json, 'Transfer-Encoding: chunked'],
    ['POST /socket.io/?EIO=4&transport=polling&sid=x', 'Content-Type: text/plain', 'Content-Length: 4000000'],
  ];
  for (const [line, ...headers] of bodies) {
    const asked = new Connection(port, head(port, line, ...headers));
    await expect.poll(() => [line, asked.isClosed, asked.received.slice(0, 12)]).toEqual([line, true, 'HTTP/1.1 401']);
  }
  const small = new Connection(port, `${head(port, link, json, 'Content-Length: 14')}{"choice":"a"}`);
  await expect.poll(() => small.received.slice(0, 12)).toBe('HTTP/1.1 404');
  // The token in it would be good: a message of this size is not read so far.
  const frameOf = (text: string) => {
    const payload = Buffer.from(text);
    const sizes = Buffer.alloc(2);
    sizes.writeUInt16BE(payload.length);
    return Buffer.concat([Buffer.from([0x81, 0x80 | 126]), sizes, Buffer.alloc(4), payload]);
  };
  const connectPacket = (padding: number) => `40${JSON.stringify({ token, x: 'x'.repeat(padding) })}`;
  const sockets = await Promise.all(
    [1_000, accessLimits.loginBytes].map(async (padding) => {
      const socket = new Connection(port, upgrade(port));
      await expect.poll(() => socket.received).toContain('"sid"');
      socket.socket.write(frameOf(connectPacket(padding)));
      return socket;
    }),
  );
  await expect.poll(() => sockets[0]?.received).toContain('"connected"');
  await expect.poll(() => sockets[1]?.isClosed).toBe(true);
  expect(sockets[1]?.received).not.toContain('"connected"');
});

test('who shows wrong tokens waits, longer each time; who has shown a good one there before does not, nor do others', async () => {
  const { server, port, token, tokenFile } = await serveGuarded();
  const guest = createToken(tokenFile, { name: 'guest', role: 'viewer' }).text;
  const path = '/api/sessions';
  await expect.poll(() => ask(port, path, { token: guest })).toMatchObject({ status: 200 });
  expect((await ask(port, path, { from: stranger, token })).status).toBe(200);
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  const slowest = { ms: 0 };
  const rounds = Math.ceil(wrongTokens / 50);
  for (let round = 0; round < rounds; round++) {
    answers.push(...(await Promise.all(Array.from({ length: 50 }, () => ask(port, path, { from: stranger, token: newToken().text })))));
    const startedAt = performance.now();
    expect((await ask(port, path, { token })).status).toBe(200);
    slowest.ms = Math.max(slowest.ms, performance.now() - startedAt);
    expect((await ask(port, path, { from: stranger, token })).status).toBe(200);
  }
  const [failed, slowed] = [401, 429].map((status) => answers.filter((answer) => answer.status === status));
  expect(failed!.length + slowed!.length).toBe(answers.length);
  expect(failed!.length).toBeGreaterThanOrEqual(accessLimits.failedTokens);
  expect(failed!.length).toBeLessThan(accessLimits.failedTokens + 100);
  expect(slowed![0]).toMatchObject({
    retryAfter: expect.stringMatching(/^\d+$/),
    body: { code: 'LIMIT_REACHED', retry_after_ms: expect.any(Number) },
  });
  // A guess is not told from a token that is good elsewhere.
  expect((await ask(port, path, { from: stranger, token: guest })).status).toBe(429);
  expect(server.stderr.split('\n').length).toBeLessThan(30);
  if (process.env['WRONG_TOKENS'] !== undefined) {
    const waits = slowed!.map(({ retryAfter }) => Number(retryAfter));
    console.log(
      `${answers.length} wrong tokens: ${failed!.length} x 401, ${slowed!.length} x 429, Retry-After up to ${Math.max(...waits)} s; ` +
        `slowest answer to others ${Math.round(slowest.ms)} ms; ${server.stderr.split('\n').length} lines logged`,
    );
  }
}, 120_000);

test('behind a proxy that is trusted, each forwarded address counts for itself; nobody else is believed', async () => {
  const { port, token } = await serveGuarded('--trust-proxy', '127.0.0.1/32');
  const path = '/api/sessions';
  const through = (address: string, shown: string, from = here) =>
    ask(port, path, { from, token: shown, headers: { 'x-forwarded-for': `6.6.6.6, ${address}` } });
  for (let n = 0; n < accessLimits.failedTokens + 1; n++) await through('192.0.2.1', newToken().text);
  expect((await through('192.0.2.1', newToken().text)).status).toBe(429);
  expect((await through('192.0.2.2', newToken().text)).status).toBe(401);
  expect((await through('2001:db8::1', token)).status).toBe(200);
  // Whoever is no proxy may say what it likes.
  for (let n = 0; n < accessLimits.failedTokens + 1; n++) await through(`192.0.2.${n}`, newToken().text, stranger);
  expect((await through('192.0.2.200', newToken().text, stranger)).status).toBe(429);
});

test('wrong tokens with the id of a good one stop at that id, from wherever they come', async () => {
  const { port, token } = await serveGuarded();
  const path = '/api/sessions';
  const guess = () => `${token.slice(0, 12)}${newToken().text.slice(12)}`;
  expect((await ask(port, path, { token })).status).toBe(200);
  for (let n = 0; n <= accessLimits.failedTokens; n++) await ask(port, path, { from: `127.0.1.${n + 1}`, token: guess() });
  expect((await ask(port, path, { from: '127.0.2.1', token: guess() })).status).toBe(429);
  expect((await ask(port, path, { from: '127.0.2.1', token: newToken().text })).status).toBe(401);
  expect((await ask(port, path, { token })).status).toBe(200);
});
