import { expect, test } from 'vitest';
import { endpointOf, httpApi, type EndpointName } from '../../src/core/http-api.ts';
import { parse } from '../../src/core/json/parse.ts';
import { answers, serverMessages, type RequestName } from '../../src/core/protocol/messages.ts';
import { may, type Verb } from '../../src/core/access.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';
import { attachOrchestrator } from '../helpers/test-orchestrator.ts';

test('what the server sends over Socket.IO fits the schemas that clients check it by', async () => {
  const server = await startServer();
  await publish(server, 's', { type: 'execution:started', data: {} });
  const orchestrator = await attachOrchestrator(server.url, { capabilities: ['HALT', 'RESUME', 'INJECT'] });
  const client = await connectQuiet(server.url);
  const requests: [RequestName, unknown][] = [
    ['subscribe', { session_id: 's', batch: true }],
    ['subscribe', { session_id: 'old', batch: true, after: { epoch: 'other', seq: 3 } }],
    ['publish', { session_id: 's', events: [{ type: 'skill:started', data: { skill_name: 'a' } }] }],
    ['cli_event', { session_id: 's', event_type: 'note:made' }],
    ['command', { session_id: 's', type: 'HALT' }],
    ['command', { session_id: '*', type: 'RESUME' }],
    ['orchestrator:attach', { session_id: 'other', instance_id: 'o', capabilities: [] }],
    ['unsubscribe', { session_id: 'old' }],
    ['ping', {}],
  ];
  for (const [name, payload] of requests) parse(answers[name], await client.ask(name, payload), name);
  await orchestrator.attach({ instance_id: 'two' });
  const taker = await attachOrchestrator(server.url, { instance_id: 'three' });
  await orchestrator.client.until('superseded', () => orchestrator.client.all('orchestrator:superseded').length > 0);
  await http('DELETE', `${server.url}/api/sessions/s`);
  await client.until('deleted', () => client.all('session:deleted').length > 0);
  await server.close();
  const heard = [client, orchestrator.client, taker.client].flatMap((each) => each.heard);
  const names = new Set<string>();
  for (const { name, payload } of heard) {
    if (!Object.hasOwn(serverMessages, name)) continue;
    names.add(name);
    parse(serverMessages[name as keyof typeof serverMessages], payload, name);
  }
  expect([...names].toSorted()).toEqual(
    Object.keys(serverMessages)
      .filter((name) => name !== 'session:created')
      .toSorted(),
  );
});

test('what the server answers over HTTP fits the table', async () => {
  const server = await startServer();
  const ask = async (name: EndpointName, method: string, path: string, body?: unknown) => {
    const { status, body: answer } = await http(method, `${server.url}${path}`, body);
    const { answer: schema, statuses } = endpointOf(name);
    expect(Object.keys(statuses)).toContain(String(status));
    if (schema !== undefined) parse(schema, answer, name);
    return answer;
  };
  await ask('createSession', 'POST', '/api/sessions', { session_id: 's', metadata: { a: 1 } });
  const events = [
    { type: 'execution:started', data: {} },
    { type: 'decision:point', data: { decision_id: 'd', question: 'Go?', options: ['yes', 'no'] } },
  ];
  await ask('publish', 'POST', '/api/sessions/s/events', events);
  await ask('session', 'GET', '/api/sessions/s');
  await ask('sessions', 'GET', '/api/sessions');
  await ask('history', 'GET', '/api/sessions/s/events');
  await ask('command', 'POST', '/api/sessions/s/commands', { type: 'HALT' });
  await ask('command', 'POST', '/api/sessions/*/commands', { type: 'RESUME' });
  await ask('commands', 'GET', '/api/sessions/s/commands');
  const { answer_path } = await ask('decision', 'GET', '/api/sessions/s/decisions/d');
  await ask('answerDecision', 'POST', String(answer_path), { choice: 'yes' });
  await ask('stats', 'GET', '/api/stats');
  await ask('health', 'GET', '/health');
  await ask('skills', 'GET', '/api/skills');
  await ask('docs', 'GET', '/api/docs');
  await ask('deleteSession', 'DELETE', '/api/sessions/s');
});

test('each endpoint asks for a verb of the policy', () => {
  const verbs: Record<EndpointName, Verb | null> = mapOf(({ verb }) => verb);
  for (const verb of Object.values(verbs)) expect(verb === null || may('admin', verb)).toBe(true);
});

function mapOf<Value>(valueOf: (endpoint: (typeof httpApi)[EndpointName]) => Value): Record<EndpointName, Value> {
  return Object.fromEntries(Object.entries(httpApi).map(([name, endpoint]) => [name, valueOf(endpoint)])) as Record<EndpointName, Value>;
}
