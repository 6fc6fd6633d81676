import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as SocketServer, type Socket } from 'socket.io';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/connection/connection.ts';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import type { Problem } from '../../src/client/orchestrator/outbox.ts';
import { connectWatcher } from '../../src/client/watcher/watcher.ts';
import { initialState } from '../../src/core/protocol/session-state.ts';
import { until } from './restartable-server.ts';

const greeting = { server_version: '4', protocol: 4, epoch: 'e', session_id: null, capabilities: [], role: 'operator', timestamp: '' };
const state = initialState({ session_id: 's', created_at: '' });
const event = { session_id: 's', seq: 1, id: 'i', type: 'note:made', timestamp: '', data: {} };

/** A Socket.IO server that greets as ours does and then sends what a test wants. */
async function startFake(serve: (socket: Socket) => void): Promise<string> {
  const http = createHttpServer();
  const io = new SocketServer(http);
  onTestFinished(() => void io.close());
  io.on('connection', (socket) => {
    socket.emit('connected', greeting);
    serve(socket);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

/** Subscribes whoever asks, sends the state and then this. */
const subscribing = (session_id: string | null, name: string, message: unknown) => (socket: Socket) => {
  socket.on('subscribe', (_request: unknown, answer: (value: unknown) => void) => {
    const subscribed = { success: true, session_id, event_types: ['*'], epoch: 'e', seq: 0, timestamp: '' };
    socket.emit('subscribed', subscribed);
    socket.emit('session:state', { session: state, epoch: 'e', seq: 0, timestamp: '' });
    answer(subscribed);
    setTimeout(() => socket.emit(name, message), 20);
  });
};

const unreadable: [what: string, name: string, message: unknown, path: string][] = [
  ['no message at all', 'events', null, ''],
  ['no list of events', 'events', { session_id: 's', events: {} }, 'events'],
  ['an event without data', 'events', { session_id: 's', events: [{ ...event, data: null }] }, 'events'],
  ['no event in the list', 'events', { session_id: 's', events: [null] }, 'events'],
  ['a state without lists', 'session:state', { session: { ...state, skills: null }, epoch: 'e', seq: 1, timestamp: '' }, 'session.skills'],
  ['a deletion of nothing', 'session:deleted', 7, ''],
];

test.each(unreadable)('a watcher that is sent %s ends with an error that names the message', async (_what, name, message, path) => {
  for (const session of ['s', undefined]) {
    const url = await startFake(subscribing(session ?? null, name, message));
    const taken = (async () => {
      await using watcher = await connectWatcher({ url, session });
      for await (const each of watcher) void each;
    })();
    await expect(taken).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { message: name, path } });
  }
});

test('an orchestrator tells once of a command that it cannot read, and carries out the next', async () => {
  let acknowledged = 0;
  const url = await startFake((socket) => {
    socket.on('orchestrator:attach', (_request: unknown, answer: (value: unknown) => void) => {
      answer({ success: true, epoch: 'e', state, commands: [] });
      setTimeout(() => {
        socket.emit('command:execute', { command_id: 1 }, () => acknowledged++);
        socket.emit('command:execute', { command_id: 'c', type: 'HALT', session_id: 's', by: null }, () => acknowledged++);
      }, 50);
    });
    socket.on('command:update', (_update: unknown, answer: (value: unknown) => void) => answer({ success: true }));
  });
  const problems: Problem[] = [];
  const run = await connectOrchestrator({ url, session: 's' });
  onTestFinished(() => run.close());
  run.onProblem((problem) => problems.push(problem));
  await until(() => run.isHalted && acknowledged > 0, 'the command that can be read');
  expect(problems.map(({ error }) => [error.code, error.details])).toEqual([
    ['UNSUPPORTED', { message: 'command:execute', path: 'command_id' }],
  ]);
  expect(acknowledged).toBe(1);
});

test('an answer that does not fit fails its request, and nothing else', async () => {
  const url = await startFake((socket) => {
    socket.on('publish', (_request: unknown, answer: (value: unknown) => void) => answer({ success: true, epoch: 'e', first_seq: 'one' }));
    socket.on('command', (_request: unknown, answer: (value: unknown) => void) => answer(undefined));
  });
  const connection = await connect({ url });
  onTestFinished(() => connection.close());
  await expect(connection.request('publish', {})).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { path: 'first_seq' } });
  await expect(connection.request('command', {})).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  expect(connection.state.status).toBe('live');
});
