import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { limits } from '../../../src/core/protocol/limits.ts';
import type { SessionState } from '../../../src/core/protocol/session-state.ts';
import { createToken } from '../../../src/server/access/tokens/token-changes.ts';
import { recorded, recordedUsage } from '../../adapters/otel/recorded-requests.ts';
import { decodedResponse, requestInProtobuf, type Signal } from '../../helpers/otlp/otlp-messages.ts';
import { http, publish, startServer, type TestServer } from '../../helpers/start-server.ts';

const json = { 'content-type': 'application/json' };
const protobuf = { 'content-type': 'application/x-protobuf' };

async function send(server: TestServer, signal: Signal, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json) {
  const response = await fetch(`${server.url}/v1/${signal}`, { method: 'POST', headers, body });
  return { status: response.status, type: response.headers.get('content-type'), bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function sendJson(server: TestServer, signal: Signal, request: object): Promise<unknown> {
  const { status, bytes } = await send(server, signal, JSON.stringify(request));
  expect([status, new TextDecoder().decode(bytes)]).toEqual([200, expect.any(String)]);
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function sessions(server: TestServer): Promise<string[]> {
  const { body } = await http<{ sessions: { session_id: string }[] }>('GET', `${server.url}/api/sessions`);
  return body.sessions.map(({ session_id }) => session_id);
}

async function only(server: TestServer): Promise<SessionState> {
  const ids = await sessions(server);
  expect(ids).toHaveLength(1);
  return (await http<SessionState>('GET', `${server.url}/api/sessions/${ids[0]}`)).body;
}

/** One request to a model, as Claude Code logs it. */
function logged(attributes: Record<string, string | number>, minute = 1): object {
  const listed = Object.entries({ 'session.id': 's1', 'event.name': 'api_request', model: 'm', ...attributes }).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { doubleValue: value },
  }));
  const timeUnixNano = `${Date.UTC(2026, 0, 1, 0, minute)}000000`;
  const logRecords = [{ timeUnixNano, body: { stringValue: 'claude_code.api_request' }, attributes: listed }];
  return { resourceLogs: [{ scopeLogs: [{ logRecords }] }] };
}

describe('what coding agents send', () => {
  test.each([
    ['claude-code', 'claude-code-logs', 'logs'],
    ['claude-code', 'claude-code-metrics', 'metrics'],
    ['codex', 'codex-logs', 'logs'],
    ['gemini', 'gemini-logs', 'logs'],
  ] as const)('%s: %s is the usage of its session, in JSON and in protobuf, plain and in gzip', async (agent, name, signal) => {
    const request = recorded(name);
    const text = JSON.stringify(request);
    const bytes = requestInProtobuf(signal, request);
    const states: SessionState[] = [];
    for (const [body, headers] of [
      [text, json],
      [new Uint8Array(gzipSync(text)), { ...json, 'content-encoding': 'gzip' }],
      [bytes, protobuf],
      [new Uint8Array(gzipSync(bytes)), { ...protobuf, 'content-encoding': 'gzip' }],
    ] as const) {
      const server = await startServer();
      const answer = await send(server, signal, body, headers);
      expect(answer).toMatchObject({ status: 200, type: expect.stringContaining(headers['content-type']) });
      expect(headers === json ? new TextDecoder().decode(answer.bytes) : '{}').toBe('{}');
      states.push(await only(server));
    }
    for (const state of states) {
      expect(state.session_id).toMatch(new RegExp(`^${agent}-[0-9a-f]{8}-[0-9a-f-]{27}$`));
      expect(state.usage).toMatchObject({ ...recordedUsage[agent], cost_usd: expect.closeTo(recordedUsage[agent].cost_usd, 9) });
      expect(state.usage_by_model).toMatchObject([{ model: expect.stringMatching(/^(?:claude-opus-4-8|gpt-[\w.-]+|gemini-2\.5-pro)$/) }]);
      expect(state.usage).toEqual(states[0]?.usage);
    }
  });

  test('the same again, as exporters send it when they hear no answer, is not counted again, over a restart of the server too', async () => {
    const server = await startServer();
    await sendJson(server, 'logs', recorded('claude-code-logs'));
    await sendJson(server, 'logs', recorded('claude-code-logs'));
    await server.restart();
    expect((await send(server, 'logs', requestInProtobuf('logs', recorded('claude-code-logs')), protobuf)).status).toBe(200);
    expect((await only(server)).usage).toMatchObject({ input_tokens: 500, reports: 5 });
  });

  test('metrics of what the logs have told, or logs of what the metrics have told, are neither counted nor journalled', async () => {
    const server = await startServer();
    await sendJson(server, 'logs', recorded('claude-code-logs'));
    await sendJson(server, 'metrics', recorded('claude-code-metrics'));
    expect(await only(server)).toMatchObject({ seq: 5, usage: { input_tokens: 500 }, usage_source: { by: 'logs' } });
    const other = await startServer();
    await sendJson(other, 'metrics', recorded('claude-code-metrics'));
    const { seq } = await only(other);
    await sendJson(other, 'logs', recorded('claude-code-logs'));
    expect(await only(other)).toMatchObject({ seq, usage: { input_tokens: 500 }, usage_source: { by: 'metrics' } });
  });

  test('the usage of a sub-agent is that of the agent that its hooks have told', async () => {
    const server = await startServer();
    const agent = { agent_id: 'a5ab', role: 'reviewer' };
    await publish(server, 'claude-code-s1', [{ type: 'agent:spawned', data: agent }]);
    await sendJson(server, 'logs', logged({ input_tokens: 7, output_tokens: 2, cost_usd: 0.5, 'agent.name': 'reviewer' }));
    const state = await only(server);
    expect(state.usage_by_agent).toMatchObject([{ agent_id: 'a5ab', input_tokens: 7, cost_usd: 0.5 }]);
    expect(state.agents).toMatchObject([{ agent_id: 'a5ab', tokens: 9, cost_usd: 0.5 }]);
  });

  test('nothing but tokens, cost, model and the name of the agent is kept: no prompt, no command line', async () => {
    const server = await startServer();
    for (const name of ['claude-code-logs', 'codex-logs', 'gemini-logs'] as const) await sendJson(server, 'logs', recorded(name));
    await sendJson(server, 'logs', logged({ prompt: 'PROMPT', tool_parameters: 'rm -rf', model: 'x'.repeat(10_000), input_tokens: 1 }));
    const kept = new Set(['model', 'input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cost_usd']);
    for (const name of ['agent_name', 'signal', 'since', 'until']) kept.add(name);
    for (const id of await sessions(server)) {
      const { body } = await http<{ events: { type: string; data: Record<string, unknown> }[] }>(
        'GET',
        `${server.url}/api/sessions/${id}/events`,
      );
      for (const { type, data } of body.events) {
        expect([type, Object.keys(data).filter((key) => !kept.has(key))]).toEqual(['usage:reported', []]);
        expect(JSON.stringify(data).length).toBeLessThan(600);
      }
    }
  });
});

describe('what programs send that call models themselves', () => {
  const span = (attributes: Record<string, string | number>, spanId = '00f067aa0ba902b7') => ({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: String(attributes['service'] ?? 'my-app') } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
                spanId,
                name: 'chat m',
                startTimeUnixNano: '1767225600000000000',
                endTimeUnixNano: '1767225601000000000',
                attributes: Object.entries(attributes).map(([key, value]) => ({
                  key,
                  value: typeof value === 'string' ? { stringValue: value } : { intValue: value },
                })),
              },
            ],
          },
        ],
      },
    ],
  });
  const call = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.conversation.id': 'nightly',
    'gen_ai.request.model': 'm',
    'gen_ai.usage.input_tokens': 100,
    'gen_ai.usage.cache_read.input_tokens': 60,
    'gen_ai.usage.output_tokens': 9,
  };

  test('a span of a call of a model is usage of the session that is its conversation, once', async () => {
    const server = await startServer();
    for (const id of ['00f067aa0ba902b7', '00f067aa0ba902b7', '00f067aa0ba902b8']) await sendJson(server, 'traces', span(call, id));
    const state = await only(server);
    expect(state).toMatchObject({
      session_id: 'nightly',
      usage: { input_tokens: 80, cache_read_tokens: 120, output_tokens: 18, reports: 2 },
    });
  });

  test('a span of an agent, one without a session, and one of an agent whose logs are read is let go', async () => {
    const server = await startServer();
    await sendJson(server, 'traces', span({ ...call, 'gen_ai.operation.name': 'invoke_agent' }));
    await sendJson(server, 'traces', span({ ...call, 'gen_ai.conversation.id': 'no session!' }));
    await sendJson(server, 'traces', span({ ...call, service: 'claude-code' }));
    expect(await sessions(server)).toEqual([]);
  });
});

describe('what is refused', () => {
  test('sums since the start, with the setting that helps', async () => {
    const server = await startServer();
    const text = JSON.stringify(recorded('claude-code-metrics')).replaceAll('"aggregationTemporality":1', '"aggregationTemporality":2');
    const errorMessage = 'Sums since the start are not counted; set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta';
    expect(await sendJson(server, 'metrics', JSON.parse(text) as object)).toEqual({
      partialSuccess: { rejectedDataPoints: expect.any(Number), errorMessage },
    });
    const { bytes } = await send(server, 'metrics', requestInProtobuf('metrics', JSON.parse(text) as object), protobuf);
    expect(decodedResponse(bytes)).toEqual({ partialSuccess: { rejected: expect.any(Number), errorMessage } });
    expect(await sessions(server)).toEqual([]);
  });

  test.each<[string, number, string, string | Uint8Array<ArrayBuffer>, Record<string, string>]>([
    ['what is no JSON', 400, 'The body is not JSON', '{', json],
    ['another form', 400, 'resourceLogs: must be a list', '{"resourceLogs":5}', json],
    ['what is no protobuf', 400, 'no OTLP request of logs in protobuf', new Uint8Array([0x0a, 0x7f, 1]), protobuf],
    ['what is no gzip', 400, 'The body is not gzip', 'x', { ...json, 'content-encoding': 'gzip' }],
    ['another compression', 415, 'OTEL_EXPORTER_OTLP_COMPRESSION=gzip', 'x', { ...json, 'content-encoding': 'zstd' }],
    ['another type', 415, 'OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf', 'x', { 'content-type': 'text/plain' }],
    [
      'a bomb of gzip',
      413,
      'before it is compressed',
      new Uint8Array(gzipSync(Buffer.alloc(limits.requestBytes + 1, ' '))),
      { ...json, 'content-encoding': 'gzip' },
    ],
    ['a bomb of messages', 400, 'messages in it', requestInProtobuf('logs', bomb()), protobuf],
    ['a bomb of objects', 400, 'objects, lists and fields', `{"resourceLogs":[${'{},'.repeat(limits.requestParts)}{}]}`, json],
  ])('%s', async (_name, status, error, body, headers) => {
    const server = await startServer();
    const answer = await send(server, 'logs', body, headers);
    expect([answer.status, JSON.parse(new TextDecoder().decode(answer.bytes))]).toEqual([
      status,
      expect.objectContaining({ error: expect.stringContaining(error) }),
    ]);
  });

  test('what a caller may not publish: the role, and the sessions that its token does not name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-telemetry-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const tokenFile = join(folder, 'tokens');
    const server = await startServer({ tokenFile, asksEverybody: true });
    const bearer = (text: string) => ({ ...json, authorization: `Bearer ${text}` });
    const { text: viewer } = createToken(tokenFile, { name: 'viewer', role: 'viewer' });
    const { text: ours } = createToken(tokenFile, { name: 'ours', role: 'orchestrator', sessions: ['codex-*'] });
    const text = JSON.stringify(recorded('claude-code-logs'));
    expect((await send(server, 'logs', text, json)).status).toBe(401);
    expect((await send(server, 'logs', text, bearer(viewer))).status).toBe(403);
    const both = {
      resourceLogs: [recorded('claude-code-logs'), recorded('codex-logs')].flatMap((each) => Object.values(each)[0] as unknown[]),
    };
    const answer = await send(server, 'logs', JSON.stringify(both), bearer(ours));
    expect([answer.status, JSON.parse(new TextDecoder().decode(answer.bytes))]).toEqual([
      200,
      { partialSuccess: { rejectedLogRecords: 5, errorMessage: expect.stringContaining('claude-code-') } },
    ]);
    const { body } = await http<{ sessions: unknown[] }>('GET', `${server.url}/api/sessions`, undefined, bearer(ours));
    expect(body.sessions).toHaveLength(1);
  });
});

function bomb(): object {
  return { resourceLogs: Array.from({ length: limits.requestParts + 1 }, () => ({})) };
}
