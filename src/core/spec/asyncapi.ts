import type { z } from 'zod';
import { endpointOf } from '../http-api.ts';
import type { KnownEventType } from '../protocol/event-table.ts';
import { knownEventTypes } from '../protocol/known-words.ts';
import {
  answerNames,
  answers,
  handshake,
  requests,
  serverMessages,
  type RequestName,
  type ServerMessageName,
} from '../protocol/messages.ts';
import { componentSchemas, dataName, ref, type Json } from './json-schemas.ts';
import { eventMeanings, messageMeanings, requestMeanings } from './meanings.ts';

const requestNames = Object.keys(requests) as RequestName[];
const messageNames = Object.keys(serverMessages) as ServerMessageName[];
/** What a stream of Server-Sent Events tells beside events. */
const streamMessages: readonly ServerMessageName[] = ['session:state', 'session:gap', 'session:created', 'session:deleted'];

/** Keys of messages, and of their schemas, by kind: a request and an event may have the same name. */
const keyOf = (kind: 'request' | 'answer' | 'message' | 'event', name: string) => `${kind}.${name.replaceAll(':', '.')}`;

/**
 * The AsyncAPI 3.0 description of what crosses Socket.IO and Server-Sent Events. The server is its application: it receives
 * requests, and sends messages and events. The schemas are those that check.
 */
export function asyncApiDocument(version: string): Json {
  const requestMessages = requestsByKey();
  const serverSent = { ...messagesByKey(), ...eventsByKey() };
  const answersTo = answersByKey();
  const streamed = [...streamMessages.map((name) => keyOf('message', name)), ...Object.keys(eventsByKey())];
  const messages = { ...requestMessages, ...answersTo, ...serverSent };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'shannon-dash',
      version,
      description:
        'Messages of Socket.IO (Engine.IO protocol 4, over WebSocket or polling) and of Server-Sent Events. ' +
        'All objects are open: a field that the receiver does not know is kept and passed on.',
    },
    defaultContentType: 'application/json',
    servers: {
      sockets: { host: '127.0.0.1:8000', protocol: 'socket.io', description: 'Where `shannon-dash serve` listens unless told otherwise.' },
      http: { host: '127.0.0.1:8000', protocol: 'http', description: 'The same server.' },
    },
    channels: {
      sockets: {
        address: '/socket.io/',
        title: 'Socket.IO',
        description: 'Each message is a Socket.IO event of its name, with its payload as the only argument.',
        servers: [{ $ref: '#/servers/sockets' }],
        messages: references('#/components/messages', Object.keys(messages)),
      },
      stream: {
        address: endpointOf('history').path,
        title: 'Server-Sent Events',
        description:
          'GET with `Accept: text/event-stream`. `event` is the name of a message, `data` its payload. The `id` of an event is `epoch:seq`: ' +
          'a client that comes back with it as `Last-Event-ID` misses nothing.',
        servers: [{ $ref: '#/servers/http' }],
        parameters: { id: { description: 'The session.' } },
        messages: references('#/components/messages', streamed),
      },
    },
    operations: {
      connect: {
        ...operation('receive', 'sockets', ['handshake']),
        summary: 'A client connects.',
        reply: operation('reply', 'sockets', [keyOf('message', 'connected')]),
      },
      ...Object.fromEntries(
        requestNames.map((name) => [
          keyOf('request', name),
          {
            ...operation('receive', 'sockets', [keyOf('request', name)]),
            summary: requestMeanings[name],
            reply: operation('reply', 'sockets', [keyOf('answer', name), 'refusal']),
          },
        ]),
      ),
      tell: { ...operation('send', 'sockets', Object.keys(serverSent)), summary: 'What the server sends unasked.' },
      stream: { ...operation('send', 'stream', streamed), summary: 'The history of a session, then what happens in it, live.' },
    },
    components: { messages, schemas: allSchemas() },
  };
}

function allSchemas(): Record<string, Json> {
  const schemas = componentSchemas({
    inputs: { Handshake: handshake, ...keyed('request', requests) },
    outputs: { ...keyed('message', serverMessages), ...keyed('answer', answers) },
  });
  return { ...schemas, ...Object.fromEntries(knownEventTypes.map((type) => [keyOf('event', type), eventSchema(type)])) };
}

/** An event of a known type has the data of that type. */
function eventSchema(type: KnownEventType): Json {
  return { allOf: [ref('SessionEvent'), { type: 'object', properties: { type: { const: type }, data: ref(dataName(type)) } }] };
}

function keyed(kind: 'request' | 'answer' | 'message', schemas: Readonly<Record<string, z.ZodType>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [keyOf(kind, name), schema]));
}

const message = (name: string, summary: string, payload: Json): Json => ({ name, title: name, summary, payload });

function requestsByKey(): Record<string, Json> {
  return {
    handshake: message('auth', 'What a client may say of itself when it connects.', ref('Handshake')),
    ...Object.fromEntries(requestNames.map((name) => [keyOf('request', name), message(name, requestMeanings[name], payloadOf(name))])),
  };
}

/** A command names its session, which over HTTP stands in the path. */
function payloadOf(name: RequestName): Json {
  if (name !== 'command') return ref(keyOf('request', name));
  return { allOf: [ref(keyOf('request', name)), { type: 'object', properties: { session_id: { type: 'string' } } }] };
}

function answersByKey(): Record<string, Json> {
  return {
    ...Object.fromEntries(
      requestNames.map((name) => [
        keyOf('answer', name),
        message(`${name} (acknowledgement)`, `The answer to \`${name}\`.`, ref(keyOf('answer', name))),
      ]),
    ),
    refusal: message('refusal (acknowledgement)', 'The answer to a request that is refused.', ref('Error')),
  };
}

function messagesByKey(): Record<string, Json> {
  const refused = { allOf: [ref('Error'), { type: 'object', properties: { request: { type: 'string' } } }] };
  return {
    ...Object.fromEntries(
      messageNames.map((name) => [keyOf('message', name), message(name, messageMeanings[name], ref(keyOf('message', name)))]),
    ),
    ...Object.fromEntries(
      Object.entries(answerNames).map(([request, name]) => [
        keyOf('message', name),
        message(name, `The answer to \`${request}\`, beside its acknowledgement.`, {
          anyOf: [ref(keyOf('answer', request)), ref('Error')],
        }),
      ]),
    ),
    'message.server.error': message('server:error', 'A request without a callback was refused. `request` is its name.', refused),
  };
}

function eventsByKey(): Record<string, Json> {
  return {
    ...Object.fromEntries(
      knownEventTypes.map((type) => [keyOf('event', type), message(type, eventMeanings[type], ref(keyOf('event', type)))]),
    ),
    event: message('{type}', 'An event of any other type: the message has the name of the type.', ref('SessionEvent')),
  };
}

function operation(action: 'send' | 'receive' | 'reply', channel: 'sockets' | 'stream', messages: readonly string[]): Json {
  const place = `#/channels/${channel}`;
  return {
    ...(action === 'reply' ? {} : { action }),
    channel: { $ref: place },
    messages: Object.values(references(`${place}/messages`, messages)),
  };
}

function references(place: string, names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `${place}/${name}` }]));
}
