import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { TraceExportOptions } from '../../../src/server/create-server.ts';
import { newPlace, StartedProgram, type Place } from '../../cli/started-program.ts';
import { TestTraceReceiver } from '../../helpers/otlp/trace-receiver.ts';
import { http, publish, startServer } from '../../helpers/start-server.ts';

const to = (receiver: Pick<TestTraceReceiver, 'url'>, more: Partial<TraceExportOptions> = {}): { traceExport: TraceExportOptions } => ({
  traceExport: {
    url: `${receiver.url}/v1/traces`,
    headers: {},
    protocol: 'http/protobuf',
    isCompressed: false,
    resource: { 'service.name': 'shannon-dash' },
    timeoutMs: 10_000,
    hasContent: false,
    ...more,
  },
});

const call = (name: string) => [
  { type: 'tool:started', data: { tool_name: name } },
  { type: 'tool:completed', data: { tool_name: name } },
];
const start = { type: 'execution:started', data: { plan_id: 'p' } };
const end = { type: 'execution:completed', data: {} };

/** Waits for spans of these names, each once, and then sees that no other one comes with the last of them. */
async function received(receiver: TestTraceReceiver, names: readonly string[]): Promise<void> {
  await expect.poll(() => receiver.names, { timeout: 20_000 }).toEqual(expect.arrayContaining([...names]));
  expect(receiver.names.toSorted()).toEqual([...names].toSorted());
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(names.length);
}

const tools = (...names: string[]) => names.map((name) => `execute_tool ${name}`);

test.each([
  ['protobuf', {}, 'application/x-protobuf', undefined],
  ['JSON', { protocol: 'http/json' }, 'application/json', undefined],
  ['protobuf in gzip', { isCompressed: true }, 'application/x-protobuf', 'gzip'],
] as const)('a session is received as a trace: %s', async (_name, more, type, encoding) => {
  const receiver = await TestTraceReceiver.start();
  const server = await startServer(to(receiver, { ...more, headers: { 'x-key': 'secret' }, resource: { 'service.name': 'ours' } }));
  await publish(server, 'a', [
    start,
    ...call('T'),
    { type: 'decision:point', data: { decision_id: 'd', question: '?', options: ['yes'] } },
  ]);
  await http('POST', `${server.url}/api/sessions/a/commands`, { type: 'DECISION', decision_id: 'd', choice: 'yes', timeout_ms: 1 });
  await publish(server, 'a', end);
  await received(receiver, [...tools('T'), 'invoke_workflow p']);
  const [tool, root] = ['execute_tool T', 'invoke_workflow p'].map((name) => receiver.spans.find((span) => span.name === name));
  expect(tool).toMatchObject({ traceId: root?.traceId, parentSpanId: root?.spanId, resource: { 'service.name': 'ours' } });
  expect(root).toMatchObject({ parentSpanId: '', attributes: { 'session.id': 'a', 'gen_ai.operation.name': 'invoke_workflow' } });
  expect(root?.events.map(({ name, attributes }) => [name, attributes[`${name}.status`]])).toEqual(
    expect.arrayContaining([
      ['shannon.decision', 'asked'],
      ['shannon.command', 'queued'],
    ]),
  );
  expect(Math.abs(Date.now() - (root?.endMs ?? 0))).toBeLessThan(60_000);
  expect(receiver.requests[0]).toMatchObject({ url: '/v1/traces', headers: { 'content-type': type, 'x-key': 'secret' } });
  expect(receiver.requests[0]?.headers['content-encoding']).toBe(encoding);
});

test('what is published while the receiver is away, or the server too, is sent once when they are back', async () => {
  const receiver = await TestTraceReceiver.start();
  const server = await startServer(to(receiver));
  await publish(server, 'a', [start, ...call('one')]);
  await received(receiver, tools('one'));
  await receiver.end();
  await publish(server, 'a', call('two'));
  await server.restart();
  await publish(server, 'a', call('three'));
  await publish(server, 'b', [start, ...call('four')]);
  await server.close();
  await receiver.startAgain();
  await server.restart();
  await publish(server, 'a', end);
  await received(receiver, [...tools('one', 'two', 'three', 'four'), 'invoke_workflow p']);
  const root = receiver.spans.find(({ name }) => name === 'invoke_workflow p');
  const children = receiver.spans.filter(({ traceId, spanId }) => traceId === root?.traceId && spanId !== root.spanId);
  expect(children.map(({ parentSpanId }) => parentSpanId)).toEqual([root?.spanId, root?.spanId, root?.spanId]);
});

test('a server that stops sends what it has', async () => {
  const receiver = await TestTraceReceiver.start();
  const server = await startServer(to(receiver));
  await publish(server, 'a', [start, ...call('T'), end]);
  await server.close();
  expect(receiver.names.toSorted()).toEqual([...tools('T'), 'invoke_workflow p']);
});

test('what had ended before traces were first sent is not sent; what goes on is', async () => {
  const receiver = await TestTraceReceiver.start();
  const place = newPlace();
  const without = await serving(place);
  await publish(without, 'old', [start, ...call('before')]);
  without.program.child.kill('SIGTERM');
  await without.program.ended;
  const server = await serving(place, receiver.url);
  await publish(server, 'old', [...call('after'), end]);
  await received(receiver, [...tools('after'), 'invoke_workflow p']);
});

test('a receiver that asks for time gets it; spans that are too many are sent in parts; those it does not take are left out', async () => {
  const receiver = await TestTraceReceiver.start();
  const answers = [503, 429];
  receiver.answer = ({ spans }) => {
    const status = answers.shift();
    if (status !== undefined) return { status, headers: { 'retry-after': '0' } };
    if (spans.some(({ name }) => name === 'execute_tool odd')) return { status: 400 };
    return { status: spans.length > 3 || spans.some(({ name }) => name === 'execute_tool large') ? 413 : 200 };
  };
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const server = await startServer({ ...to(receiver), log });
  await publish(server, 'a', [start, ...['1', '2', '3', '4', '5', '6', '7', '8', 'large'].flatMap(call)]);
  await received(receiver, tools('1', '2', '3', '4', '5', '6', '7', '8'));
  await expect
    .poll(() => lines)
    .toContainEqual(expect.stringContaining('does not take 1 of the spans, which are left out: it answers 413'));
  await publish(server, 'b', [start, ...call('odd')]);
  await expect
    .poll(() => lines, { timeout: 10_000 })
    .toContainEqual(expect.stringContaining('does not take 1 of the spans, which are left out: it answers 400'));
  expect(lines.filter((line) => line.includes('Traces wait'))).toHaveLength(1);
  expect(lines.filter((line) => line.includes('again'))).toHaveLength(1);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/shannon_dash_spans_sent 8\n/);
});

test('a redirect is not followed: the key is for one host', async () => {
  const [receiver, other] = [await TestTraceReceiver.start(), await TestTraceReceiver.start()];
  receiver.answer = () => ({ status: 307, headers: { location: `${other.url}/v1/traces` } });
  const server = await startServer(to(receiver, { headers: { authorization: 'Basic key' } }));
  await publish(server, 'a', [start, ...call('T')]);
  await expect.poll(() => receiver.requests.length, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(other.requests).toEqual([]);
});

test('publishing does not wait for a receiver that never answers, and neither does the end of the server', async () => {
  let asked = 0;
  const server = await startServer(to({ url: '' }, { url: await silentUrl(() => asked++) }));
  await publish(server, 'a', [start, ...call('T')]);
  await expect.poll(() => asked, { timeout: 10_000 }).toBe(1);
  for (let at = 0; at < 50; at++) await publish(server, 'a', call(`t${at}`));
  await server.close();
  expect(asked).toBe(1);
});

test('more spans than one request holds come in the order of the journal', async () => {
  const receiver = await TestTraceReceiver.start();
  const server = await startServer(to(receiver));
  const names = Array.from({ length: 1_300 }, (_, at) => `n${String(at).padStart(4, '0')}`);
  for (let at = 0; at < names.length; at += 100) await publish(server, 'a', names.slice(at, at + 100).flatMap(call));
  await received(receiver, tools(...names));
  expect(receiver.names).toEqual(tools(...names));
});

test('serve --otlp: over kills of the program, and of the receiver, each span of the journal comes once', async () => {
  const receiver = await TestTraceReceiver.start();
  const place = newPlace({
    OTEL_SERVICE_NAME: 'night',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc',
    OTEL_RESOURCE_ATTRIBUTES: 'team=a',
  });
  const sent: string[] = [];
  let server = await serving(place, receiver.url);
  await publish(server, 'a', start);
  for (let round = 0; round < 4; round++) {
    const names = Array.from({ length: 20 }, (_, at) => `r${round}-${at}`);
    await publish(server, 'a', names.flatMap(call));
    sent.push(...tools(...names));
    if (round % 2 === 0) {
      // What was received is told apart from what was noted: the cursor is kept before the next spans are read.
      await received(receiver, sent);
      await expect.poll(async () => (await fetch(`${server.url}/metrics`)).text()).toContain('shannon_dash_sessions_to_trace 0\n');
    } else await receiver.end();
    server.program.child.kill('SIGKILL');
    await server.program.ended;
    if (round % 2 === 1) await receiver.startAgain();
    server = await serving(place, receiver.url);
  }
  await publish(server, 'a', end);
  await received(receiver, [...sent, 'invoke_workflow p']);
  expect(receiver.spans[0]?.resource).toMatchObject({ 'service.name': 'night', team: 'a' });
  expect(receiver.requests[0]?.headers['authorization']).toBe('Basic abc');
});

async function serving(place: Place, otlp?: string) {
  const args = ['serve', '--port', '0', '--json', '--journal', join(place.folder, 'j.db'), ...(otlp === undefined ? [] : ['--otlp', otlp])];
  const program = new StartedProgram(args, place);
  await program.until(({ stdout }) => stdout.includes('\n'));
  const { url } = JSON.parse(program.stdout) as { url: string };
  return { url, program };
}

/** Of a receiver that takes requests and never answers. */
async function silentUrl(onRequest: () => void): Promise<string> {
  const server = createServer(onRequest).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
}
