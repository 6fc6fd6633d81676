import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { errorTable } from '../../../src/core/protocol/errors.ts';
import { version } from '../../../src/executable/own-program.ts';
import { addRoutes } from '../../../src/server/http/http-routes.ts';
import type { RouteParts } from '../../../src/server/http/route-parts.ts';
import { openApiDocument } from '../../../src/core/spec/openapi.ts';
import { connectClient, connectQuiet } from '../../helpers/socket-client.ts';
import { http, publish, startServer, type Json, type TestServer } from '../../helpers/start-server.ts';
import { attachOrchestrator } from '../../helpers/test-orchestrator.ts';

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const step = (n: number) => ({ type: 'test:step', data: { n } });
const errorShape = (code: string, error: unknown = expect.any(String)) =>
  expect.objectContaining({ success: false, error, code, timestamp: expect.stringMatching(isoTime) });

test('GET /health says how many sessions are live and how many clients are connected', async () => {
  const server = await startServer();
  await publish(server, 'a', step(1));
  await publish(server, 'b', { type: 'execution:completed', data: {} });
  const clients = await Promise.all([1, 2, 3].map(() => connectClient(server.url)));
  const health = () => http('GET', `${server.url}/health`);
  expect(await health()).toMatchObject({
    status: 200,
    body: {
      status: 'healthy',
      version,
      timestamp: expect.stringMatching(isoTime),
      active_sessions: 1,
      connected_clients: 3,
      uptime_seconds: expect.any(Number),
    },
  });
  clients[0]?.close();
  await expect.poll(async () => (await health()).body['connected_clients']).toBe(2);
});

test('GET /api/stats counts watchers by session', async () => {
  const server = await startServer();
  await publish(server, 's', step(1));
  const client = await connectQuiet(server.url);
  await client.ask('subscribe', { session_id: 's' });
  const { status, body } = await http('GET', `${server.url}/api/stats`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    total_connections: 1,
    sessions: { s: 1 },
    timestamp: expect.stringMatching(isoTime),
    events_total: 1,
    orchestrators: 0,
    journal: { location: join(server.folder, 'journal.sqlite'), size_bytes: expect.any(Number) },
  });
});

test('GET /metrics is Prometheus text, every line of it', async () => {
  const server = await startServer();
  await publish(server, 's', [step(1), step(2)]);
  await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'HALT' });
  const response = await fetch(`${server.url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/);
  const text = await response.text();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    expect(line).toMatch(
      /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? -?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|\+Inf))$/,
    );
  }
  expect(text).toContain('shannon_dash_commands_total{type="HALT",status="applied"} 1');
  expect(text).toMatch(/^shannon_dash_events_total 6$/m);
  expect(text).toMatch(/^shannon_dash_sessions 1$/m);
});

describe('sessions', () => {
  test('POST creates one, GET lists and shows it, DELETE takes it with its journal', async () => {
    const server = await startServer();
    const created = await http('POST', `${server.url}/api/sessions`, { session_id: 's.1:a-b_c', skills: ['x'], metadata: { who: 'me' } });
    expect(created).toMatchObject({
      status: 201,
      body: { session_id: 's.1:a-b_c', status: 'created', seq: 0, planned_skills: ['x'], metadata: { who: 'me' } },
    });
    expect(created.body['epoch']).toBeTypeOf('string');
    await publish(server, 's.1:a-b_c', [
      { type: 'skill:started', data: { skill_name: 'x' } },
      { type: 'execution:progress', data: { progress: 40 } },
    ]);
    const listed = await http('GET', `${server.url}/api/sessions`);
    expect(listed).toMatchObject({ status: 200, body: { total: 1 } });
    expect((listed.body['sessions'] as Json[])[0]).toMatchObject({
      session_id: 's.1:a-b_c',
      created_at: expect.stringMatching(isoTime),
      updated_at: expect.stringMatching(isoTime),
      status: 'running',
      current_skill: 'x',
      task: null,
      progress: 40,
      seq: 2,
      watchers: 0,
      orchestrator: null,
    });
    expect(await http('GET', `${server.url}/api/sessions/s.1:a-b_c`)).toMatchObject({ status: 200, body: { seq: 2, current_skill: 'x' } });
    expect(await http('GET', `${server.url}/api/sessions/s.1:a-b_c?at=1`)).toMatchObject({ status: 200, body: { seq: 1, progress: null } });
    await server.restart();
    expect(await http('GET', `${server.url}/api/sessions/s.1:a-b_c`)).toMatchObject({
      body: { seq: 2, metadata: { who: 'me' }, planned_skills: ['x'] },
    });
    expect(await http('DELETE', `${server.url}/api/sessions/s.1:a-b_c`)).toMatchObject({
      status: 200,
      body: { message: expect.any(String) },
    });
    expect(await http('DELETE', `${server.url}/api/sessions/s.1:a-b_c`)).toMatchObject({ status: 404, body: errorShape('NOT_FOUND') });
    expect(await http('GET', `${server.url}/api/sessions/s.1:a-b_c/events`)).toMatchObject({ status: 404 });
  });

  test.each<[string, unknown]>([
    ['no body', undefined],
    ['a list', []],
    ['no id', {}],
    ['a list as an id', { session_id: ['a'] }],
    ['an id that starts with a dot', { session_id: '.a' }],
    ['an id of 129 characters', { session_id: 'x'.repeat(129) }],
    ['skills that are a text', { session_id: 'a', skills: 'x' }],
    ['metadata that are a list', { session_id: 'a', metadata: [] }],
    ['half a JSON', '{"session_id":'],
  ])('POST with %s is 400', async (_what, body) => {
    const server = await startServer();
    expect(await http('POST', `${server.url}/api/sessions`, body)).toMatchObject({ status: 400, body: errorShape('INVALID') });
  });

  test('POST of one that exists is 409', async () => {
    const server = await startServer();
    await publish(server, 's', step(1));
    expect(await http('POST', `${server.url}/api/sessions`, { session_id: 's' })).toMatchObject({
      status: 409,
      body: errorShape('CONFLICT'),
    });
  });
});

describe('commands', () => {
  test('POST is 200 when finished, 202 while under way, 400, 404 and 409 when refused', async () => {
    const server = await startServer();
    await publish(server, 's', step(1));
    const post = (body: unknown) => http('POST', `${server.url}/api/sessions/s/commands`, body, { 'x-client': 'curl' });
    expect(await post({ type: 'halt', reason: 'r' })).toMatchObject({ status: 200, body: { success: true, status: 'applied' } });
    expect(await post({ type: 'ROLLBACK', timeout_ms: 50 })).toMatchObject({ status: 202, body: { success: true, status: 'queued' } });
    expect(await post({ type: 'nonsense' })).toMatchObject({ status: 400, body: errorShape('INVALID', 'Unknown command type: nonsense') });
    await post({ type: 'RESUME' });
    expect(await post({ type: 'RESUME' })).toMatchObject({
      status: 409,
      body: { success: false, error: 'Cannot resume - execution is running' },
    });
    expect(await http('POST', `${server.url}/api/sessions/nobody/commands`, { type: 'HALT' })).toMatchObject({ status: 404 });
    const orchestrator = await attachOrchestrator(server.url);
    orchestrator.answer = () => ({ status: 'failed', error: 'no' });
    expect(await post({ type: 'INJECT', skill_name: 'x' })).toMatchObject({
      status: 200,
      body: { success: false, status: 'failed', error: 'no' },
    });
  });

  test('GET is the ledger', async () => {
    const server = await startServer();
    await publish(server, 's', step(1));
    await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'HALT', reason: 'r', command_id: 'h' }, { 'x-client': 'curl' });
    await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'INJECT', skill_name: 'x', command_id: 'i', timeout_ms: 10 });
    const { status, body } = await http('GET', `${server.url}/api/sessions/s/commands`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      total: 2,
      commands: [
        {
          command_id: 'h',
          command_type: 'HALT',
          status: 'applied',
          by: 'curl',
          parameters: { reason: 'r' },
          acknowledged_by: 'server',
          created_at: expect.stringMatching(isoTime),
          updated_at: expect.stringMatching(isoTime),
        },
        { command_id: 'i', status: 'queued', by: 'http', parameters: { skill_name: 'x', position: 'next' } },
      ],
    });
    expect((await http('GET', `${server.url}/api/sessions/s/commands?status=queued`)).body).toMatchObject({
      total: 1,
      commands: [{ command_id: 'i' }],
    });
    expect((await http('GET', `${server.url}/api/sessions/s/commands?limit=1`)).body).toMatchObject({
      total: 2,
      commands: [{ command_id: 'i' }],
    });
    for (const query of ['status=done', 'limit=-1', 'limit=x', 'limit=1001'])
      expect(await http('GET', `${server.url}/api/sessions/s/commands?${query}`)).toMatchObject({
        status: 400,
        body: errorShape('INVALID'),
      });
  });
});

test('skills are listed, filtered, shown and counted', async () => {
  const server = await startServer();
  const folder = join(server.folder, '.shannon', 'skills');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'build.yaml'), 'name: build\ncategory: ci\ndescription: Builds it\nmetadata: {tags: [fast]}\n');
  await expect.poll(async () => (await http('GET', `${server.url}/api/skills?category=ci`)).body['total'], { timeout: 10_000 }).toBe(1);
  await publish(server, 's', [
    { type: 'skill:started', data: { skill_name: 'build' } },
    { type: 'skill:completed', data: { skill_name: 'build', duration: 2 } },
  ]);
  expect(await http('GET', `${server.url}/api/skills/build`)).toMatchObject({
    status: 200,
    body: { name: 'build', usage_count: 1, success_rate: 1, avg_duration: 2 },
  });
  expect((await http('GET', `${server.url}/api/skills?tag=fast&q=builds`)).body).toMatchObject({ total: 1 });
  expect((await http('GET', `${server.url}/api/skills?category=none`)).body).toEqual({ skills: [], total: 0 });
  expect(await http('GET', `${server.url}/api/skills/nobody`)).toMatchObject({ status: 404, body: errorShape('NOT_FOUND') });
});

describe('errors', () => {
  test.each<[string, string, number, string]>([
    ['GET', '/nowhere', 404, 'NOT_FOUND'],
    ['PUT', '/api/sessions', 404, 'NOT_FOUND'],
    ['GET', '/api/sessions/nobody', 404, 'NOT_FOUND'],
    ['GET', '/api/sessions/nobody/events', 404, 'NOT_FOUND'],
    ['GET', '/api/sessions/nobody/decisions/d', 404, 'NOT_FOUND'],
    ['GET', `/api/sessions/${'x'.repeat(5_000)}`, 404, 'NOT_FOUND'],
    ['GET', '/api/sessions/%ff', 400, 'INVALID'],
    ['GET', '/api/sessions/s?at=-1', 400, 'INVALID'],
  ])('%s %.60s is %i in the one shape', async (method, path, status, code) => {
    const server = await startServer();
    await publish(server, 's', step(1));
    const answer = await http(method, `${server.url}${path}`);
    expect(answer).toMatchObject({ status, body: errorShape(code) });
    expect(String(answer.body['error']).length).toBeLessThan(1_000);
  });

  test('what is no HTTP is answered in the one shape', async () => {
    const server = await startServer();
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.write('NONSENSE\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(text.slice(text.indexOf('{')))).toEqual(errorShape('INVALID'));
  });

  test('a request that cannot be read says what would be', async () => {
    const server = await startServer();
    const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
      fetch(`${server.url}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }).then(
        async (response) => ({ status: response.status, body: (await response.json()) as Json }),
      );
    const events = '/api/sessions/s/events';
    const event = Buffer.from('{"type":"a:b","data":{"x":"\xff"}}', 'latin1');
    expect(await post(events, event)).toMatchObject({
      status: 400,
      body: errorShape('INVALID', 'The body is not UTF-8; encode its texts so'),
    });
    const ndjson = { 'content-type': 'application/x-ndjson' };
    expect(await post(events, event, ndjson)).toMatchObject({ status: 400, body: errorShape('INVALID') });
    expect(await post(events, 'x', { 'content-encoding': 'gzip' })).toMatchObject({
      status: 415,
      body: errorShape('UNSUPPORTED', 'Content-Encoding gzip is not read here; send the body as it is'),
    });
    expect(await post(events, 'x=1', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({
      status: 415,
      body: errorShape('UNSUPPORTED', expect.stringContaining('send application/json or application/x-ndjson')),
    });
    expect(await post('/api/sessions', '[]')).toMatchObject({ status: 400, body: errorShape('INVALID', 'The request must be an object') });
    expect((await http('GET', `${server.url}/api/sessions/s`)).status).toBe(404);
    await publish(server, 's', { type: 'execution:started', data: {} });
    expect(await post('/api/sessions/s/commands', '{"type":"HALT","session_id":"other"}')).toMatchObject({
      status: 400,
      body: errorShape('INVALID', expect.stringContaining('the path names s, the body other')),
    });
    expect(await post('/api/sessions/s/commands', '{"type":"HALT","session_id":"s"}')).toMatchObject({ status: 200 });
  });

  test('a body of another type is 415, one beyond 4 MiB 413', async () => {
    const server = await startServer();
    const url = `${server.url}/api/sessions/s/events`;
    expect(await http('POST', url, '<a/>', { 'content-type': 'text/xml' })).toMatchObject({ status: 415, body: errorShape('UNSUPPORTED') });
    const large = JSON.stringify(Array.from({ length: 5 }, () => ({ type: 'a:b', data: { text: 'x'.repeat(900_000) } })));
    expect(await http('POST', url, large)).toMatchObject({ status: 413, body: errorShape('TOO_LARGE') });
    const oneTooLarge = [step(1), { type: 'a:b', data: { text: 'x'.repeat(1_100_000) } }];
    const answer = await http('POST', url, oneTooLarge);
    expect(answer).toMatchObject({ status: 413, body: errorShape('TOO_LARGE', expect.stringContaining('events[1]')) });
    expect((await http('GET', `${server.url}/api/sessions/s`)).status).toBe(404);
    const fits = await http('POST', url, JSON.parse(large).slice(0, 4) as unknown);
    expect(fits).toMatchObject({ status: 200, body: { first_seq: 1, last_seq: 4 } });
  });
});

describe('the OpenAPI document', () => {
  const operationsOf = (document: Json) =>
    Object.entries(document['paths'] as Record<string, Json>).flatMap(([path, each]) =>
      Object.entries(each).map(([method, operation]) => ({ path, method, operation: operation as Json })),
    );

  test('is served, and names every route that the program has, and no other', async () => {
    const server = await startServer();
    const { status, body } = await http('GET', `${server.url}/api/docs`);
    expect(status).toBe(200);
    const app = fastify();
    const routes: string[] = [];
    app.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) if (each !== 'HEAD') routes.push(`${each.toLowerCase()} ${url.replace(/:(\w+)/g, '{$1}')}`);
    });
    addRoutes(app, {} as RouteParts);
    await app.close();
    const documented = operationsOf(body).map(({ path, method }) => `${method} ${path}`);
    // Pages for people, and what only they call.
    const pages = ['get /', 'get /s/{id}', 'get /analytics', 'get /web/{name}', 'get /login', 'post /login', 'post /logout'];
    expect(routes).toEqual(expect.arrayContaining(pages));
    expect(documented.toSorted()).toEqual(routes.filter((route) => route !== 'get /api/docs' && !pages.includes(route)).toSorted());
  });

  test('is OpenAPI 3.1 in shape: parameters stand in their path, references lead somewhere, answers are described', () => {
    const document = JSON.parse(JSON.stringify(openApiDocument(version))) as Json;
    expect(document['openapi']).toMatch(/^3\.1\.\d$/);
    expect(document['info']).toMatchObject({ title: expect.any(String), version });
    const { schemas } = document['components'] as { schemas: Json };
    for (const name of Object.keys(schemas)) expect(name).toMatch(/^[a-zA-Z0-9._-]+$/);
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
      expect(Object.keys(schemas)).toContain(String(reference).replace('#/components/schemas/', ''));
    }
    for (const { path, operation } of operationsOf(document)) {
      const inPath = (operation['parameters'] as Json[]).filter((parameter) => parameter['in'] === 'path');
      expect(inPath.map((parameter) => `{${String(parameter['name'])}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(inPath.every((parameter) => parameter['required'] === true)).toBe(true);
      for (const [status, answer] of Object.entries(operation['responses'] as Json)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect((answer as Json)['description']).toBeTypeOf('string');
      }
    }
    expect((schemas['Error'] as { properties: { code: { enum: string[] } } }).properties.code.enum).toEqual(Object.keys(errorTable));
  });
});

const run = promisify(execFile);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

test.skipIf(!hasCurl)('curl alone creates a session, publishes, commands, reads back (skipped where there is no curl)', async () => {
  const server: TestServer = await startServer();
  const curl = async (...args: string[]) => JSON.parse((await run('curl', ['-sS', ...args])).stdout) as Json;
  const json = ['-H', 'Content-Type: application/json', '-d'];
  expect(await curl(...json, '{"session_id":"s"}', `${server.url}/api/sessions`)).toMatchObject({ session_id: 's' });
  expect(await curl(...json, '{"type":"execution:started","data":{"task":"x"}}', `${server.url}/api/sessions/s/events`)).toMatchObject({
    last_seq: 1,
  });
  expect(await curl(...json, '{"type":"halt"}', `${server.url}/api/sessions/s/commands`)).toMatchObject({ status: 'applied' });
  expect(await curl(`${server.url}/api/sessions/s`)).toMatchObject({ status: 'halted' });
});
