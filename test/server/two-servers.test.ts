import { expect, test } from 'vitest';
import type { CommandResult } from '../../src/core/protocol/command.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { shareJournal, type JournalShare } from '../helpers/shared-journal.ts';
import { connectQuiet, type SocketClient } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { attachOrchestrator, TestOrchestrator } from '../helpers/test-orchestrator.ts';

const started = { type: 'execution:started', data: {} };
const send = (client: SocketClient, fields: Record<string, unknown>) =>
  client.ask<CommandResult>('command', { session_id: 's', timeout_ms: 10_000, ...fields });
const stateOf = async (server: TestServer) => (await http<SessionState>('GET', `${server.url}/api/sessions/s`)).body;
const eventsOf = async (server: TestServer, types = '*') =>
  (await http<{ events: SessionEvent[] }>('GET', `${server.url}/api/sessions/s/events?types=${types}`)).body.events;
const point = (fields: Record<string, unknown>) => ({ type: 'decision:point', data: { question: '?', options: ['yes', 'no'], ...fields } });

/** Two servers over one journal; the program is attached at A, the operator connected to B. */
async function twoServers(): Promise<{
  a: TestServer;
  b: TestServer;
  shareOfA: JournalShare;
  program: TestOrchestrator;
  operator: SocketClient;
}> {
  const common = new MemoryJournal();
  const shareOfA = shareJournal(common);
  const a = await startServer({ journal: shareOfA.journal });
  const b = await startServer({ journal: shareJournal(common).journal });
  const program = await attachOrchestrator(a.url, { instance_id: 'program' });
  await program.client.publish('s', [started]);
  return { a, b, shareOfA, program, operator: await connectQuiet(b.url, { auth: { client: 'ana' } }) };
}

test('an operator at one server halts and resumes the program that is attached at the other one', async () => {
  const { a, b, program, operator } = await twoServers();
  expect(await send(operator, { type: 'HALT', command_id: 'h' })).toMatchObject({
    status: 'applied',
    acknowledged_by: 'program',
    attached: true,
  });
  expect(await stateOf(a)).toMatchObject({ status: 'halted', halt: { command_id: 'h', by: 'ana' } });
  expect(await send(operator, { type: 'RESUME' })).toMatchObject({ status: 'applied', acknowledged_by: 'program' });
  expect(await send(operator, { type: 'INJECT', skill_name: 'x' })).toMatchObject({ status: 'applied', acknowledged_by: 'program' });
  expect(program.executed.map(({ type }) => type)).toEqual(['HALT', 'RESUME', 'INJECT']);
  const history = await eventsOf(a);
  expect(await eventsOf(b)).toEqual(history);
  expect(history.filter(({ type }) => type.startsWith('command:')).map(({ type }) => type)).toEqual(
    [1, 2, 3].flatMap(() => ['command:queued', 'command:delivered', 'command:applied']),
  );
  expect(await stateOf(b)).toEqual(await stateOf(a));
});

test('a decision is made once: by the deadlines of both servers, or by an operator before them', async () => {
  const { a, b, program, operator } = await twoServers();
  program.answer = ({ type }) => (type === 'DECISION' ? { status: 'applied' } : undefined);
  const points = Array.from({ length: 20 }, (_, n) => point({ decision_id: `d${n}`, default: 'no', timeout_ms: 100 + (n % 3) }));
  await program.client.publish('s', [...points, point({ decision_id: 'asked', default: 'no', timeout_ms: 300 })]);
  expect(await send(operator, { type: 'DECISION', decision_id: 'asked', choice: 'yes' })).toMatchObject({ status: 'applied' });
  const made = () => eventsOf(a, 'decision:made');
  await expect.poll(async () => (await made()).length, { timeout: 10_000 }).toBe(points.length + 1);
  // Every deadline of both servers is over once the one that was set last is.
  await program.client.publish('s', [point({ decision_id: 'last', default: 'no', timeout_ms: 400 })]);
  await expect.poll(async () => (await stateOf(b)).decisions.find(({ decision_id }) => decision_id === 'last')?.status).toBe('made');
  const answers = Object.fromEntries((await made()).map(({ data }) => [data['decision_id'], data['made_by']]));
  expect(await made()).toHaveLength(points.length + 2);
  expect(answers).toMatchObject({ d0: 'timeout', d19: 'timeout', last: 'timeout', asked: 'ana' });
  expect(await eventsOf(b)).toEqual(await eventsOf(a));
});

test('operators at both servers who answer at the same moment: one wins, and all are told the same', async () => {
  const { a, b, program, operator } = await twoServers();
  const atA = await connectQuiet(a.url, { auth: { client: 'ben' } });
  for (let n = 0; n < 20; n++) {
    await program.client.publish('s', [point({ decision_id: `d${n}` })]);
    const answers = await Promise.all([
      send(operator, { type: 'DECISION', decision_id: `d${n}`, choice: 'yes' }),
      send(atA, { type: 'DECISION', decision_id: `d${n}`, choice: 'no' }),
    ]);
    expect(answers.filter(({ status }) => status === 'applied')).toHaveLength(1);
  }
  expect(await eventsOf(b, 'decision:made')).toHaveLength(20);
});

test('a server that starts again detaches nobody who is attached at the other one', async () => {
  const { a, b, program } = await twoServers();
  await b.restart();
  expect(await stateOf(b)).toMatchObject({ orchestrator: { attached: true, instance_id: 'program' } });
  const operator = await connectQuiet(b.url);
  expect(await send(operator, { type: 'HALT' })).toMatchObject({ status: 'applied', acknowledged_by: 'program' });
  expect((await eventsOf(a, 'orchestrator:*')).map(({ type }) => type)).toEqual(['orchestrator:attached']);
  program.client.close();
  await expect.poll(async () => (await stateOf(b)).orchestrator?.attached).toBe(false);
});

test('what a server held that is gone without a word ends once: the other one applies what it may itself', async () => {
  const { b, shareOfA, operator } = await twoServers();
  shareOfA.crash();
  expect(await send(operator, { type: 'HALT' })).toMatchObject({ status: 'applied', acknowledged_by: 'server', attached: false });
  expect(await eventsOf(b, 'orchestrator:detached')).toMatchObject([{ data: { instance_id: 'program', code: 'server_restarted' } }]);
});

test('the end of a server is noticed by itself', async () => {
  const { b, shareOfA } = await twoServers();
  shareOfA.crash();
  await expect.poll(async () => (await eventsOf(b, 'orchestrator:detached')).length, { timeout: 10_000 }).toBe(1);
});

test('a server that was taken to be gone comes back, and gives its program the command that was sent meanwhile', async () => {
  const { shareOfA, program, operator } = await twoServers();
  const back = shareOfA.cutOff();
  // It is not known to be delivered: with nobody attached it waits.
  expect(await send(operator, { type: 'INJECT', command_id: 'early', skill_name: 'x', timeout_ms: 200 })).toMatchObject({
    status: 'queued',
  });
  expect(program.executed).toEqual([]);
  back();
  expect(await send(operator, { type: 'INJECT', command_id: 'early', skill_name: 'x' })).toMatchObject({ status: 'applied' });
  expect(await send(operator, { type: 'INJECT', command_id: 'late', skill_name: 'x' })).toMatchObject({ status: 'applied' });
  expect(program.executed.map(({ command_id }) => command_id)).toEqual(['early', 'late']);
});

test('an instance that comes back by way of the other server gets there what is not finished, and nothing twice', async () => {
  const { a, b, program, operator } = await twoServers();
  program.answer = () => undefined;
  for (const command_id of ['c', 'd']) await send(operator, { type: 'INJECT', skill_name: 'x', command_id, timeout_ms: 100 });
  const again = await attachOrchestrator(b.url, { instance_id: 'program', reattach: true });
  await expect.poll(() => again.executed.map(({ command_id }) => command_id)).toEqual(['c', 'd']);
  await expect.poll(async () => (await stateOf(a)).commands.map(({ status }) => status)).toEqual(['applied', 'applied']);
  program.client.close();
  expect(await send(operator, { type: 'HALT' })).toMatchObject({ status: 'applied', acknowledged_by: 'program' });
  expect(again.executed).toHaveLength(3);
  expect((await eventsOf(a, 'orchestrator:*')).map(({ type }) => type)).toEqual(['orchestrator:attached', 'orchestrator:attached']);
});

test('another instance that attaches at the other server takes the session over: the former one is told, and can publish no more', async () => {
  const { a, b, program, operator } = await twoServers();
  const newer = await attachOrchestrator(b.url, { instance_id: 'newer' });
  expect(await program.client.next('orchestrator:superseded')).toMatchObject({ session_id: 's', instance_id: 'newer' });
  expect(await program.client.publish('s', [started])).toMatchObject({ success: false, code: 'SUPERSEDED' });
  expect(await send(operator, { type: 'HALT' })).toMatchObject({ status: 'applied', acknowledged_by: 'newer' });
  expect(newer.executed).toHaveLength(1);
  const refused = new TestOrchestrator(await connectQuiet(a.url));
  expect(await refused.attach({ instance_id: 'third', take_over: false })).toMatchObject({
    success: false,
    error: 'newer is attached to s',
  });
});

test('while a program publishes without a pause at one server, a command at the other one is taken all the same', async () => {
  const { a, program, operator } = await twoServers();
  const publishingUntil = new AbortController();
  const publishing = (async () => {
    while (!publishingUntil.signal.aborted) await program.client.publish('s', [{ type: 'test:step', data: {} }]);
  })();
  for (let n = 0; n < 20; n++) expect(await send(operator, { type: 'INJECT', skill_name: 'x' })).toMatchObject({ status: 'applied' });
  publishingUntil.abort();
  await publishing;
  const events = await eventsOf(a);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  await publish(a, 's', { type: 'execution:completed', data: {} });
});

test('a quiet program is not lost to the other server while the server that it publishes to is there', async () => {
  const common = new MemoryJournal();
  const shareOfA = shareJournal(common);
  const a = await startServer({ journal: shareOfA.journal, lostAfterMs: 400 });
  const b = await startServer({ journal: shareJournal(common).journal, lostAfterMs: 400 });
  const program = await connectQuiet(a.url);
  await program.publish('s', [started]);
  const isLost = (id: string) =>
    expect.poll(async () => (await http<SessionState>('GET', `${b.url}/api/sessions/${id}`)).body.status, { timeout: 10_000 }).toBe('lost');
  for (const id of ['x', 'y']) {
    await publish(b, id, started);
    await isLost(id);
  }
  expect((await stateOf(b)).status).toBe('running');
  shareOfA.crash();
  await isLost('s');
});

test('a command that is taken back at one server while its program attaches at the other one ends in one way: cancelled, or applied', async () => {
  const common = new MemoryJournal();
  const a = await startServer({ journal: shareJournal(common).journal });
  const b = await startServer({ journal: shareJournal(common).journal });
  const operator = await connectQuiet(b.url, { auth: { client: 'ana' } });
  const ends = new Set<string>();
  for (let n = 0; n < 30; n++) {
    const session_id = `race-${n}`;
    await publish(a, session_id, started);
    await operator.ask('command', { session_id, type: 'INJECT', skill_name: 'x', command_id: 'c', timeout_ms: 1 });
    const program = new TestOrchestrator(await connectQuiet(a.url));
    const attach = () => program.attach({ session_id });
    const cancel = () => operator.ask('command:cancel', { session_id, command_id: 'c' });
    const [first, second] = n % 2 === 0 ? [attach, cancel] : [cancel, attach];
    const answers = await Promise.all([first(), second()]);
    const isCancelled = answers[n % 2 === 0 ? 1 : 0]?.['success'] === true;
    const state = async () => (await http<SessionState>('GET', `${b.url}/api/sessions/${session_id}`)).body.commands[0]?.status;
    await expect.poll(state).toBe(isCancelled ? 'cancelled' : 'applied');
    expect(program.executed.length).toBe(isCancelled ? 0 : 1);
    ends.add(isCancelled ? 'cancelled' : 'applied');
    program.client.close();
  }
  expect([...ends].toSorted()).toEqual(['applied', 'cancelled']);
});
