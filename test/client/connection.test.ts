import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Server as SocketServer } from 'socket.io';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, openConnection, type Connection, type ConnectOptions } from '../../src/client/connection/connection.ts';
import { connectWatcher } from '../../src/client/watcher/watcher.ts';
import { errorBody } from '../../src/core/protocol/error-answer.ts';
import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { initialState } from '../../src/core/protocol/session-state.ts';
import { startServer, until, type RestartableServer } from './restartable-server.ts';

const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

async function connected(options: ConnectOptions): Promise<Connection> {
  const connection = await connect(options);
  ended.push(() => connection.close());
  return connection;
}

async function listening(server: {
  listen(port: number, host: string): unknown;
  address(): unknown;
  once(event: 'listening', then: () => void): unknown;
}) {
  const isListening = new Promise<void>((resolve) => server.once('listening', resolve));
  server.listen(0, '127.0.0.1');
  await isListening;
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A Socket.IO server that misbehaves as a test wants. */
async function startFake(serve: (io: SocketServer) => void): Promise<string> {
  const http = createHttpServer();
  const io = new SocketServer(http);
  serve(io);
  ended.push(() => io.close());
  return listening(http);
}

const greeting = { server_version: '4', protocol: 4, epoch: 'e', session_id: null, capabilities: [], role: 'operator', timestamp: '' };

describe('connecting to a server', () => {
  let server: RestartableServer;

  beforeEach(async () => {
    server = await startServer();
    ended.push(() => server.remove());
  });

  test('greets, measures the latency and reads over HTTP', async () => {
    const connection = await connected({ url: server.url });
    expect(connection.state).toMatchObject({ status: 'live', attempt: 0, retryAt: null, error: null });
    expect(connection.state.serverVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(await connection.ping()).toBeGreaterThan(0);
    expect(connection.state.latencyMs).toBeGreaterThan(0);
    expect(await connection.read('sessions', {})).toMatchObject({ sessions: [], total: 0 });
    await expect(connection.read('session', { path: { id: 'none' } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('tells how it comes back', async () => {
    const connection = await connected({ url: server.url });
    const seen: string[] = [];
    connection.onState(({ status }) => {
      if (seen.at(-1) !== status) seen.push(status);
    });
    await server.stop();
    await until(() => connection.state.attempt >= 2, 'a second attempt');
    expect(connection.state).toMatchObject({ status: 'reconnecting', latencyMs: null });
    await expect(connection.request('ping', {})).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await until(() => connection.state.error?.includes('connection refused') === true, 'the reason');
    expect(connection.state.retryAt === null || connection.state.retryAt > Date.now() - 1_000).toBe(true);
    await server.start();
    await connection.whenLive();
    expect(seen).toEqual(['reconnecting', 'live']);
    expect(connection.state).toMatchObject({ attempt: 0, error: null });
  });

  test('goes to another server of its list when its own goes away, and comes back by the list', async () => {
    const other = await startServer();
    ended.push(() => other.remove());
    const connection = await connected({ urls: ['http://127.0.0.1:9', server.url, other.url], retry: false });
    expect(connection.url).toBe(server.url);
    const heard: unknown[] = [];
    connection.on('events', ({ events }) => heard.push(...events.map(({ id }) => id)));
    const subscribe = () => connection.request('subscribe', { session_id: 's', batch: true });
    await subscribe();
    await server.stop();
    await until(() => connection.url === other.url && connection.state.status === 'live', 'the other server');
    await subscribe();
    await connection.request('publish', { session_id: 's', events: [{ type: 'note:made', data: {}, id: 'once' }] });
    await until(() => heard.length > 0, 'its event');
    expect(heard).toEqual(['once']);
    expect(await other.history('s')).toHaveLength(1);
    expect(await connection.read('session', { path: { id: 's' } })).toMatchObject({ seq: 1 });
    await server.start();
    await other.stop();
    await until(() => connection.url === server.url && connection.state.status === 'live', 'the first server again');
  });

  test('waits for a server that is not there yet', async () => {
    await server.stop();
    const connecting = connected({ url: server.url });
    setTimeout(() => void server.start(), 300);
    expect((await connecting).state.status).toBe('live');
  });

  test('falls back to polling where WebSockets are not let through', async () => {
    const { port } = server;
    const proxy = createHttpServer((request, response) => {
      const forward = httpRequest(
        { port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      );
      forward.on('error', () => response.destroy());
      request.pipe(forward);
    });
    proxy.on('upgrade', (_request, socket) => socket.destroy());
    const url = await listening(proxy);
    ended.push(
      () => proxy.closeAllConnections(),
      () => proxy.close(),
    );
    const connection = await connected({ url });
    await connection.request('publish', { session_id: 's', events: [{ type: 'note:made', data: {} }] });
    expect((await server.history('s')).length).toBe(1);
  });
});

describe('a connection that cannot be', () => {
  test('rejects at once when it may not retry, with the reason', async () => {
    await expect(connect({ url: 'http://127.0.0.1:9', retry: false })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'cannot reach http://127.0.0.1:9 (connection refused)',
    });
    await expect(connect({ url: 'http://127.0.0.1:9,http://127.0.0.1:10', retry: false })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'cannot reach http://127.0.0.1:10 (connection refused)',
    });
    for (const wrong of [{ url: 'ftp://nowhere' }, { urls: [] }, { urls: ['http://127.0.0.1:9', 'nowhere'] }]) {
      await expect(connect(wrong)).rejects.toMatchObject({ code: 'INVALID' });
    }
  });

  test('is given up by its signal', async () => {
    const abort = new AbortController();
    const connecting = connect({ url: 'http://127.0.0.1:9', signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await expect(connecting).rejects.toThrow('enough');
    await expect(connect({ url: 'http://127.0.0.1:9', signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  });

  test('rejects with the refusal of the server, without trying again', async () => {
    let attempts = 0;
    const url = await startFake((io) =>
      io.use((_socket, next) => {
        attempts++;
        const refusal = new ShannonDashError('UNAUTHENTICATED', 'this server asks for a token');
        next(Object.assign(new Error(refusal.message), { data: errorBody(refusal) }));
      }),
    );
    await expect(connect({ url })).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: 'this server asks for a token' });
    expect(attempts).toBe(1);
  });

  test('rejects with what a gatekeeper says', async () => {
    const http = createHttpServer();
    const io = new SocketServer(http, { allowRequest: (_request, done) => done('this server answers to localhost only', false) });
    ended.push(() => io.close());
    await expect(connect({ url: await listening(http) })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'this server answers to localhost only',
    });
  });

  test('rejects another protocol', async () => {
    const url = await startFake((io) => io.on('connection', (socket) => socket.emit('connected', { ...greeting, protocol: undefined })));
    await expect(connect({ url })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('times out where nobody answers', async () => {
    const silent = createTcpServer();
    const url = await listening(silent);
    ended.push(() => silent.close());
    await expect(connect({ url, retry: false, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: `cannot reach ${url} (no answer)`,
    });
  });
});

describe('a request', () => {
  test('without an answer ends with TIMEOUT, and with UNREACHABLE when the connection is closed', async () => {
    const url = await startFake((io) => io.on('connection', (socket) => socket.emit('connected', greeting)));
    const connection = openConnection({ url });
    ended.push(() => connection.close());
    await connection.whenLive();
    await expect(connection.request('command', {}, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    const waiting = connection.request('command', {});
    connection.close();
    await expect(waiting).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(connection.whenLive()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

test('a watcher asks again from its cursor when the server leaves something out', async () => {
  const event = (seq: number): SessionEvent => ({
    session_id: 's',
    seq,
    id: String(seq),
    type: 'note:made',
    timestamp: '2026-01-01T00:00:00.000Z',
    data: {},
  });
  const asked: unknown[] = [];
  const url = await startFake((io) =>
    io.on('connection', (socket) => {
      socket.emit('connected', greeting);
      socket.on('subscribe', ({ after }: { after?: { seq: number } }, answer: (value: unknown) => void) => {
        asked.push(after?.seq);
        const subscribed = { success: true, session_id: 's', event_types: ['*'], epoch: 'e', seq: 1, timestamp: '' };
        socket.emit('subscribed', subscribed);
        if (after === undefined) {
          const session = { ...initialState({ session_id: 's', created_at: '' }), seq: 1 };
          socket.emit('session:state', { session, epoch: 'e', seq: 1, timestamp: '' });
          socket.emit('events', { session_id: 's', events: [event(2), event(4)] });
          socket.emit('events', { session_id: 's', events: [event(5)] });
        } else {
          socket.emit('events', { session_id: 's', events: [event(2), event(3), event(4)] });
          socket.emit('events', { session_id: 's', events: [event(5), event(6)] });
        }
        answer(subscribed);
      });
    }),
  );
  const watcher = await connectWatcher({ url, session: 's' });
  ended.push(() => watcher.close());
  const seqs: number[] = [];
  for await (const { seq } of watcher) {
    seqs.push(seq);
    if (seq === 6) break;
  }
  expect(seqs).toEqual([2, 3, 4, 5, 6]);
  expect(asked).toEqual([undefined, 2]);
});
