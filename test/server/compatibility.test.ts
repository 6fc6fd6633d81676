import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { connectClient, connectQuiet, openClient } from '../helpers/socket-client.ts';
import { openSse } from '../helpers/sse-reader.ts';
import { http, startServer, type Json } from '../helpers/start-server.ts';

const run = promisify(execFile);
const python = '/usr/bin/python3';
const hasPythonClient = await run(python, ['-c', 'import socketio, aiohttp']).then(
  () => true,
  () => false,
);

describe('a Python producer of Shannon v4', () => {
  test.skipIf(!hasPythonClient)(
    'emits cli_event unchanged; a browser, a stream and the state have it all (skipped without python3-socketio and aiohttp)',
    async () => {
      const server = await startServer();
      const browser = await connectClient(server.url, { extraHeaders: { origin: 'http://localhost:3000' } });
      const stream = await openSse(`${server.url}/api/sessions/session_20260101_120000/events`);
      const script = fileURLToPath(new URL('../helpers/cli-event-producer.py', import.meta.url));
      const { stdout } = await run(python, ['-W', 'ignore', script, server.url, 'session_20260101_120000', '200']);
      expect(stdout.trim(), 'a producer hears no echo').toBe('echoes:');
      const events = await browser.untilEvents(206);
      expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 206 }, (_, index) => index + 1));
      expect(events.slice(6).map((event) => event.data['n'])).toEqual(Array.from({ length: 200 }, (_, n) => n));
      for (const event of events) expect(event.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      await stream.until('the same on the stream', () => stream.events.length === 206);
      expect(stream.events.map((message) => message.data)).toEqual(events);
      const { body } = await http<SessionState>('GET', `${server.url}/api/sessions/session_20260101_120000`);
      expect(body).toMatchObject({
        status: 'running',
        task: 'older producer',
        plan_id: 'p1',
        skills: [{ skill_name: 'build', status: 'completed', duration_ms: 1_500 }],
        files: [{ path: 'src/a.py', change: 'modified' }],
        decisions: [{ decision_id: 'd1', question: 'Go on?', status: 'open' }],
        validations: [{ check_name: 'lint', status: 'passed' }],
      });
    },
    30_000,
  );
});

describe('cli_event', () => {
  test('never refuses a known type for its payload: it is journalled as it came', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const payloads: unknown[] = [undefined, null, 5, 'text', [1], {}, { progress: 'half' }, { skill_name: 5 }, { options: 'yes' }];
    const types = ['skill:started', 'execution:progress', 'decision:point', 'validation:result', 'file:created', 'agent:spawned'];
    for (const event_type of types) {
      for (const data of payloads) expect(await client.ask('cli_event', { session_id: 's', event_type, data })).toEqual({ success: true });
    }
    const { body } = await http<{ events: { data: unknown }[] }>('GET', `${server.url}/api/sessions/s/events`);
    expect(body.events).toHaveLength(types.length * payloads.length);
    expect(body.events.slice(2, 6).map((event) => event.data)).toEqual([{ value: 5 }, { value: 'text' }, { value: [1] }, {}]);
    expect((await http('GET', `${server.url}/api/sessions/s`)).body).toMatchObject({ seq: types.length * payloads.length });
  });

  test('in an older spelling is journalled and delivered as it was sent, and the state has it', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const watcher = await connectQuiet(server.url);
    await watcher.ask('subscribe', { session_id: 's' });
    const sent: [string, object][] = [
      ['file:created', { file_path: 'a', more: 1 }],
      ['file:created', { file_path: 'a', path: 'b' }],
      ['skill:started', { skill: 'build' }],
      ['decision:point', { decision_id: 'd', title: 'Which?', options: ['x'] }],
      ['validation:completed', { check_name: 'lint', success: true }],
    ];
    for (const [event_type, data] of sent) await client.ask('cli_event', { session_id: 's', event_type, data });
    const events = await watcher.untilEvents(sent.length);
    expect(events.map(({ type, data }) => [type, data])).toEqual(sent);
    expect(watcher.heard.slice(-sent.length).map(({ name }) => name)).toEqual(sent.map(([type]) => type));
    const { body } = await http<{ events: unknown[] }>('GET', `${server.url}/api/sessions/s/events`);
    expect(body.events).toEqual(events);
    expect((await http('GET', `${server.url}/api/sessions/s`)).body).toMatchObject({
      files: [{ path: 'a' }, { path: 'b' }],
      skills: [{ skill_name: 'build', status: 'running' }],
      decisions: [{ question: 'Which?' }],
      validations: [{ check_name: 'lint', status: 'passed' }],
    });
  });

  test('with a timestamp that makes no sense takes the time of the server; without a callback it is silent', async () => {
    const server = await startServer();
    const watcher = await connectQuiet(server.url);
    await watcher.ask('subscribe', { session_id: 's' });
    const client = await connectQuiet(server.url);
    for (const timestamp of ['yesterday', 5, null, {}, '2026-13-45T99:99:99Z'])
      client.socket.emit('cli_event', { session_id: 's', event_type: 'a:b', timestamp });
    client.socket.emit('cli_event', { session_id: 's', event_type: 'a:b', timestamp: '2026-02-03T04:05:06.789+02:00' });
    const events = await watcher.untilEvents(6);
    for (const event of events.slice(0, 5)) expect(event).not.toHaveProperty('received_at');
    expect(events[5]).toMatchObject({ timestamp: '2026-02-03T02:05:06.789Z', received_at: expect.any(String) });
    await client.ask('ping');
    expect(client.heard.map((each) => each.name)).toEqual(['connected', 'pong']);
  });
});

describe('a browser dashboard of Shannon v4', () => {
  test('connects without a session, reads {timestamp, data, session_id} with onAny, and halts', async () => {
    const server = await startServer();
    const producer = await connectQuiet(server.url);
    await producer.ask('cli_event', { session_id: 's', event_type: 'execution:started', data: { task: 'x' } });
    const seen: Json[] = [];
    const browser = openClient(server.url, { transports: ['polling', 'websocket'], extraHeaders: { origin: 'http://localhost:5173' } });
    browser.socket.onAny((name: string, payload: Json) => {
      if (payload['data'] !== undefined)
        seen.push({ name, timestamp: payload['timestamp'], data: payload['data'], session_id: payload['session_id'] });
    });
    await browser.next('session:state');
    browser.socket.emit('command', { type: 'halt' });
    expect(await browser.next('command:result')).toMatchObject({ success: true, command_type: 'HALT', status: 'applied', session_id: 's' });
    await browser.next('execution:halted');
    for (const each of seen) expect(each).toMatchObject({ timestamp: expect.any(String), data: expect.any(Object), session_id: 's' });
    browser.socket.emit('command', { type: 'resume' });
    await browser.next('execution:resumed');
    expect(seen.map(({ name }) => name)).toEqual(expect.arrayContaining(['execution:halted', 'execution:resumed']));
    browser.socket.emit('command', {});
    await browser.next('command:result', (result) => result['error'] === 'Command type is required');
  });
});

test('the snippets of the older README: connected, subscribe, command and command:result, ping and pong', async () => {
  const server = await startServer();
  const client = await connectClient(server.url);
  client.socket.emit('subscribe', { session_id: 'my_session', event_types: ['skill:started', 'skill:completed'] });
  await client.next('subscribed', (each) => each['session_id'] === 'my_session');
  const producer = await connectQuiet(server.url);
  await producer.ask('cli_event', { session_id: 'my_session', event_type: 'skill:started', data: { skill_name: 'a' } });
  await producer.ask('cli_event', { session_id: 'my_session', event_type: 'skill:progress', data: { skill_name: 'a', progress: 10 } });
  await client.untilEvents(1);
  client.socket.emit('ping');
  expect(await client.next('pong')).toEqual({ timestamp: expect.any(String) });
  client.socket.emit('command', { type: 'HALT', session_id: 'my_session', reason: 'User requested' });
  expect(await client.next('command:result')).toMatchObject({ success: true, command_type: 'HALT', elapsed_ms: expect.any(Number) });
  expect(client.events().map((event) => event.type)).toEqual(['skill:started']);
});

test('results name what was asked for; refusals name the command; an empty session_id is none', async () => {
  const server = await startServer();
  const client = await connectQuiet(server.url);
  const ask = (fields: Json) => client.ask('command', { session_id: '', ...fields });
  expect(await ask({ type: 'rollback', steps: 2, command_id: 'r' })).toMatchObject({
    success: false,
    error: 'session_id is required for rollback',
    command_type: 'ROLLBACK',
    command_id: 'r',
  });
  await client.publish('s', [
    { type: 'execution:started', data: {} },
    { type: 'decision:point', data: { decision_id: 'd', question: '?', options: ['yes', 'no'] } },
  ]);
  expect(await ask({ type: 'rollback', steps: 2 })).toMatchObject({ status: 'queued', session_id: 's', steps: 2 });
  expect(await ask({ type: 'redirect', target_skill: 'tests' })).toMatchObject({ target: 'tests' });
  expect(await ask({ type: 'redirect', target_path: 'src' })).toMatchObject({ target: 'src' });
  expect(await ask({ type: 'inject', skill_name: 'lint' })).toMatchObject({ skill_name: 'lint', position: 'next' });
  expect(await ask({ type: 'decision', decision_id: 'd', choice: 'yes' })).toMatchObject({
    status: 'applied',
    decision_id: 'd',
    choice: 'yes',
  });
  expect(await ask({ type: 'inject', command_id: 'i' })).toMatchObject({
    error: 'skill_name is required',
    command_type: 'INJECT',
    command_id: 'i',
  });
  expect(await ask({ type: 'explode' })).toMatchObject({ success: false, command_type: 'EXPLODE' });
  expect(await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'redirect', command_id: 'x' })).toMatchObject({
    status: 400,
    body: { code: 'INVALID', command_type: 'REDIRECT', command_id: 'x' },
  });
  const watcher = await connectClient(server.url, { auth: { session_id: '' } });
  expect(await watcher.ask('subscribe', { session_id: '' })).toMatchObject({ success: true, session_id: null });
});

test('the statistics count the watchers of a session that does not exist yet', async () => {
  const server = await startServer();
  const watcher = await connectQuiet(server.url);
  await watcher.ask('subscribe', { session_id: 'later' });
  expect((await http('GET', `${server.url}/api/stats`)).body['sessions']).toEqual({ later: 1 });
});
