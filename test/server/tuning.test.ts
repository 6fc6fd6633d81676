import { once } from 'node:events';
import { createServer as createTcpServer, connect } from 'node:net';
import { Server as SocketServer, type Socket } from 'socket.io';
import { expect, onTestFinished, test } from 'vitest';
import { fullTuning, type Tuning } from '../../src/server/tuning/tuning.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { connectClient, connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';

type Private = Record<string, unknown>;

/** A bare Socket.IO server with one client on a WebSocket and one that polls. */
async function bareServer(): Promise<{ io: SocketServer; websocket: Private; polling: Private }> {
  const io = new SocketServer(0, { serveClient: false });
  onTestFinished(() => io.close());
  const { port } = (io as unknown as { httpServer: { address(): { port: number } } }).httpServer.address();
  const connections = new Map<string, Private>();
  io.on('connection', (socket: Socket) => {
    connections.set(socket.conn.transport.name, socket.conn as unknown as Private);
    socket.emit('connected', {});
  });
  for (const transport of ['websocket', 'polling']) await connectClient(`http://127.0.0.1:${port}`, { transports: [transport] });
  return { io, websocket: connections.get('websocket') ?? {}, polling: connections.get('polling') ?? {} };
}

/** What each switch relies on, looked up on the installed versions. */
const privateParts: Record<keyof Tuning, (server: Awaited<ReturnType<typeof bareServer>>) => unknown> = {
  boundedDecoding: ({ io, polling }) => [
    typeof ((io as unknown as Private)['_parser'] as { Decoder: { prototype: { add: unknown } } }).Decoder.prototype.add,
    typeof (polling['transport'] as Private)['onData'],
    'dataRes' in (polling['transport'] as Private),
  ],
  handshakeRelease: ({ io, websocket }) => [
    typeof (websocket['request'] as Private)['headers'],
    typeof (io.sockets.sockets.values().next().value as unknown as Private)['handshake'],
    typeof io.engine.use,
  ],
  joinedWrites: ({ websocket }) => [typeof websocket['flush'], Array.isArray(websocket['writeBuffer']), Object.hasOwn(websocket, 'flush')],
  preEncodedFrames: ({ websocket }) => typeof (websocket['transport'] as Private)['send'],
  readBackpressure: ({ websocket }) => {
    const handle = handleOf(websocket);
    return [typeof handle['readStart'], typeof handle['readStop'], typeof handle['reading']];
  },
  tcpSocket: ({ websocket }) => typeof tcpOf(websocket)['bytesWritten'],
  tcpProgress: ({ websocket }) => ['bytesWritten', 'writeQueueSize'].map((name) => typeof handleOf(websocket)[name]),
  pollAnswer: ({ polling }) => 'res' in (polling['transport'] as Private),
  waitingPackets: ({ websocket }) => [typeof (websocket['transport'] as Private)['writable'], Array.isArray(websocket['writeBuffer'])],
  oversizedMessage: ({ websocket }) => typeof ((websocket['transport'] as Private)['socket'] as Private)['prependListener'],
  hardClose: ({ io, websocket }) => [
    typeof ((websocket['transport'] as Private)['socket'] as Private)['terminate'],
    typeof (io.engine as unknown as Private)['clients'],
  ],
  descriptorRoom: () => 'maxConnections' in createTcpServer().on('drop', () => undefined) || process.platform,
};

const expected: Record<keyof Tuning, unknown> = {
  boundedDecoding: ['function', 'function', true],
  handshakeRelease: ['object', 'object', 'function'],
  joinedWrites: ['function', true, false],
  preEncodedFrames: 'function',
  readBackpressure: ['function', 'function', 'boolean'],
  tcpSocket: 'number',
  tcpProgress: ['number', 'number'],
  pollAnswer: true,
  waitingPackets: ['boolean', true],
  oversizedMessage: 'function',
  hardClose: ['function', 'object'],
  descriptorRoom: expect.anything(),
};

function tcpOf(conn: Private): Private {
  return ((conn['transport'] as Private)['socket'] as Private)['_socket'] as Private;
}

function handleOf(conn: Private): Private {
  return tcpOf(conn)['_handle'] as Private;
}

test('the installed versions of Engine.IO, ws and Node have every private part that a switch relies on', async () => {
  const server = await bareServer();
  const found = Object.fromEntries(Object.entries(privateParts).map(([name, look]) => [name, look(server)]));
  expect(found).toEqual(expected);
});

test('frames that were encoded before are written as they are', async () => {
  const server = await startServer();
  const raw = await connectRaw(server.port, { auth: { subscribe: true } });
  await raw.next('42["connected"');
  await publish(server, 's', { type: 'test:step', id: 'one', data: { text: 'ü' } });
  expect(await raw.next('42["test:step"')).toContain('"data":{"text":"ü"}');
});

const switches = Object.keys(fullTuning) as (keyof Tuning)[];
const without = (names: readonly string[]): Partial<Tuning> => Object.fromEntries(names.map((name) => [name, false]));

test.each([...switches.map((name) => [name, without([name])] as const), ['everything', without(switches)] as const])(
  'without %s the server does the same',
  async (_name, tuning) => {
    const server = await startServer({ tuning });
    const watchers = await Promise.all(
      ['websocket', 'polling'].map((transport) => connectClient(server.url, { transports: [transport], auth: { client: transport } })),
    );
    const orchestrator = await attachOrchestrator(server.url);
    const producer = await connectQuiet(server.url);
    const events = Array.from({ length: 200 }, (_, n) => ({ type: 'test:step', id: `n${n}`, data: { n, text: 'x'.repeat(1_000) } }));
    for (let at = 0; at < events.length; at += 20) {
      for (const event of events.slice(at, at + 10))
        producer.socket.emit('cli_event', { session_id: 's', event_type: event.type, data: event.data });
      expect(await producer.publish('s', events.slice(at + 10, at + 20))).toMatchObject({ success: true });
    }
    expect(await producer.ask('command', { type: 'HALT', session_id: 's' })).toMatchObject({ status: 'applied', acknowledged_by: 'one' });
    // What it has attached, published and said of the command, in the one order of the journal.
    const last = (await http<{ seq: number }>('GET', `${server.url}/api/sessions/s`)).body.seq;
    for (const watcher of watchers) {
      const heard = await watcher.untilEvents(last, 's');
      expect(heard.map(({ seq }) => seq)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
    }
    expect(orchestrator.executed).toHaveLength(1);
    const bad = await fetch(`${server.url}/api/sessions/s/events`);
    expect(((await bad.json()) as { events: unknown[] }).events).toHaveLength(last);
    const idle = connect(server.port, '127.0.0.1');
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    await server.close();
    for (const watcher of watchers) await watcher.next('server:shutdown');
    idle.destroy();
  },
);
