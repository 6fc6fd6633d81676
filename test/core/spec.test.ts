import { Validator } from '@seriousme/openapi-schema-validator';
import asyncApiSchemas from '@asyncapi/specs';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, test } from 'vitest';
import { asyncApiDocument } from '../../src/core/spec/asyncapi.ts';
import { openApiDocument } from '../../src/core/spec/openapi.ts';
import { connectClient, connectQuiet, type Heard, type SocketClient } from '../helpers/socket-client.ts';
import { openSse } from '../helpers/sse-reader.ts';
import { publish, startServer, type Json } from '../helpers/start-server.ts';

/** As a reader has it, without what JSON does not keep. */
const written = (document: object) => JSON.parse(JSON.stringify(document)) as Json;

const asyncApi = written(asyncApiDocument('4.0.0'));

/** What a reference of a document leads to. */
function at(document: Json, reference: string): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>((part, name) => (part as Json | undefined)?.[name], document);
}

test('the OpenAPI document is one by the schema of the OpenAPI initiative, and its references lead somewhere', async () => {
  expect(await new Validator().validate(written(openApiDocument('4.0.0')))).toEqual({ valid: true });
});

describe('the AsyncAPI document', () => {
  test('is one by the schema of the AsyncAPI initiative', () => {
    const check = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(
      asyncApiSchemas.schemasWithoutId['3.0.0'] as Json,
    );
    check(asyncApi);
    expect(check.errors).toBe(null);
  });

  test('has references that lead somewhere, and no message that nobody sends', () => {
    const references = [...JSON.stringify(asyncApi).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference);
    expect(references.length).toBeGreaterThan(200);
    expect(references.filter((reference) => at(asyncApi, reference) === undefined)).toEqual([]);
    const operations = JSON.stringify(asyncApi['operations']);
    const messages = Object.keys(at(asyncApi, '#/components/messages') as Json);
    expect(messages.filter((key) => !operations.includes(`/messages/${key}"`))).toEqual([]);
  });

  /** What a message of the document must be. */
  const ajv = new Ajv({ strict: false, validateFormats: false }).addSchema(asyncApi, 'asyncapi');
  const payloadOf = (key: string): ValidateFunction | undefined => ajv.getSchema(`asyncapi#/components/messages/${key}/payload`);

  /** The faults of a payload by the message that the document describes. */
  function faults(kind: string, name: string, payload: unknown): unknown {
    const check = payloadOf(`${kind}.${name.replaceAll(':', '.')}`);
    if (check === undefined) return `no ${kind} ${name}`;
    return check(payload) ? undefined : [name, payload, check.errors];
  }

  const kindOf = (name: string) => (payloadOf(`message.${name.replaceAll(':', '.')}`) === undefined ? 'event' : 'message');

  /** Sends a request, and holds it and its answer against the document. */
  async function ask(client: SocketClient, name: string, payload: Json): Promise<Json> {
    expect(faults('request', name, payload)).toBeUndefined();
    const answer = await client.ask(name, payload);
    expect(faults('answer', name, answer)).toBeUndefined();
    return answer;
  }

  test('tells the truth: whatever crosses Socket.IO and a stream is as it says', async () => {
    const server = await startServer();
    const watcher = await connectClient(server.url);
    const batched = await connectQuiet(server.url);
    await ask(batched, 'subscribe', { session_id: 's', batch: true, event_types: ['*'] });
    const stream = await openSse(`${server.url}/api/sessions/s/events`);
    const program = await connectQuiet(server.url);
    await ask(program, 'publish', {
      session_id: 's',
      events: [
        { type: 'execution:started', data: { task: 't' } },
        { type: 'skill:started', data: { skill_name: 'lint' } },
        { type: 'decision:point', data: { decision_id: 'd', question: 'Go?', options: ['yes', { id: 'no', label: 'No' }] } },
        { type: 'custom:thing' },
      ],
    });
    await ask(program, 'cli_event', { session_id: 's', event_type: 'skill:completed', data: { skill_name: 'lint' } });
    await ask(program, 'orchestrator:attach', { session_id: 's', instance_id: 'p', capabilities: ['REDIRECT'] });
    program.socket.on('command:execute', (command: Json, acknowledge: () => void) => {
      acknowledge();
      void program.ask('command:update', { command_id: command['command_id'], session_id: 's', status: 'applied', result: 1 });
    });
    const operator = await connectQuiet(server.url);
    await ask(operator, 'command', { type: 'REDIRECT', session_id: 's', target_skill: 'tests' });
    await ask(operator, 'command', { type: 'HALT', session_id: '*', reason: 'look' });
    await ask(operator, 'command', { type: 'DECISION', session_id: 's', decision_id: 'd', choice: 'yes' });
    operator.socket.emit('command', { type: 'RESUME', session_id: 'none' });
    operator.socket.emit('ping');
    operator.socket.emit('subscribe', { event_types: 'no list' });
    await operator.next('pong');
    await operator.next('server:error');
    await ask(await connectQuiet(server.url), 'orchestrator:attach', { session_id: 's', instance_id: 'q', capabilities: [] });
    await program.next('orchestrator:superseded');
    await ask(batched, 'subscribe', { session_id: 's', after: { epoch: 'another', seq: 3 } });
    await batched.next('session:gap');
    await ask(batched, 'unsubscribe', { session_id: 's' });
    await publish(server, 't', [{ type: 'execution:started' }]);
    await fetch(`${server.url}/api/sessions/t`, { method: 'DELETE' });
    await watcher.next('session:deleted');
    await server.close();
    await stream.until('its end', () => stream.isEnded);

    const heard: Heard[] = [watcher, batched, program, operator].flatMap((client) => client.heard);
    const streamed = stream.messages.map(({ event = '', data }) => ({ name: event, payload: data }));
    const told = [...heard, ...streamed];
    const described = told.filter(({ name }) => name !== 'custom:thing');
    expect(described.map(({ name, payload }) => faults(kindOf(name), name, payload)).filter((fault) => fault !== undefined)).toEqual([]);
    expect(faults('message', 'connected', { role: 'operator' })).not.toBeUndefined();
    expect(payloadOf('event')?.(told.find(({ name }) => name === 'custom:thing')?.payload)).toBe(true);
    // So that the line above had something to look at: every message of the server was heard.
    const messages = Object.keys(at(asyncApi, '#/components/messages') as Json).filter((key) => key.startsWith('message.'));
    const names = new Set(heard.map(({ name }) => `message.${name.replaceAll(':', '.')}`));
    expect(messages.filter((key) => !names.has(key))).toEqual([]);
    expect(streamed.map(({ name }) => name)).toEqual(expect.arrayContaining(['session:state', 'skill:started', 'command:applied']));
  });
});
