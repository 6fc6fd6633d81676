import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { endpointOf, httpApi, type EndpointName } from '../../../src/core/http-api.ts';
import { commandTypes, knownEventTypes, sessionStatuses } from '../../../src/core/protocol/known-words.ts';
import { errorTable, localErrorTable } from '../../../src/core/protocol/errors.ts';
import { isServerOnly } from '../../../src/core/protocol/event-table.ts';
import { accessLimits, agentLimits, foldLimits, limits, mcpLimits, notificationLimits } from '../../../src/core/protocol/limits.ts';
import { answerNames, answers, handshake, requests, serverMessages } from '../../../src/core/protocol/messages.ts';
import { componentSchemas, dataName } from '../../../src/core/spec/json-schemas.ts';
import {
  commandMeanings,
  errorMeanings,
  eventMeanings,
  messageMeanings,
  requestMeanings,
  statusMeanings,
} from '../../../src/core/spec/meanings.ts';
import { commentsOf } from './doc-comments.ts';
import { code, page, table } from './markdown.ts';
import { SchemaText } from './schema-text.ts';

const endpoints = Object.keys(httpApi) as EndpointName[];
const prefixed = <Value>(kind: string, values: Readonly<Record<string, Value>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${kind} ${name}`, value]));
const partsOf = (part: 'query' | 'body' | 'answer') =>
  Object.fromEntries(endpoints.map((name) => [`${part} ${name}`, endpointOf(name)[part] ?? z.unknown()]));

const text = new SchemaText(
  componentSchemas({
    inputs: { handshake, ...prefixed('request', requests), ...partsOf('query'), ...partsOf('body') },
    outputs: { ...prefixed('message', serverMessages), ...prefixed('answer', answers), ...partsOf('answer') },
  }),
  ['Event', 'SessionEvent', 'SessionState', 'CommandState', 'CommandResult', 'CommandResults'],
);

const fieldsNote = 'A field with `?` may be left out.';

/** The page of events, commands and states. */
export function eventsPage(): string {
  return page(
    '# Events, commands and states',
    `The [protocol](../protocol.md) says how they go together. ${fieldsNote} Objects are open: fields that are not named here are kept and passed on.`,
    '## Event types',
    '`publish` and HTTP check the data of these types, and refuse all events of a request where one is wrong. An event of any other type is journalled, delivered and shown, and does not change the state.',
    table(
      ['type', 'data', 'meaning'],
      knownEventTypes.map((type) => [
        code(type),
        text.fieldList(dataName(type)),
        `${eventMeanings[type]}${isServerOnly(type) ? ' Only the server writes it.' : ''}`,
      ]),
    ),
    '## Commands',
    'Each also takes `command_id?` and `timeout_ms?`, and over Socket.IO `session_id?`.',
    table(
      ['type', 'fields', 'what it does'],
      commandTypes.map((type) => [code(type), text.fieldList(type, ['type', 'command_id', 'timeout_ms']), commandMeanings[type]]),
    ),
    '## The answer to a command',
    `${text.fieldList('CommandResult')}.`,
    `To a command for \`*\`: ${text.fieldList('CommandResults')}.`,
    '## The state of a session',
    table(
      ['status', 'meaning'],
      sessionStatuses.map((status) => [code(status), statusMeanings[status]]),
    ),
    `The state has ${text.nameList('SessionState')}. \`SessionState\` in \`shannon-dash spec openapi\` tells what each of them holds.`,
  );
}

/** The page of what crosses Socket.IO. */
export function socketsPage(): string {
  return page(
    '# Socket.IO messages',
    `The [protocol](../protocol.md) says how they go together; \`shannon-dash spec asyncapi\` has them for programs. ${fieldsNote}`,
    '## What a client says when it connects',
    `In \`auth\`: ${text.fieldList('handshake')}. \`session_id\` may also stand in the query. With \`subscribe\` false no subscription comes with the connection.`,
    '## What a client sends',
    'Each request is answered through its acknowledgement. A refused one is answered with the body of an [error](http.md#errors); where the client gave no callback, that comes as the message `server:error`, with `request`, the name of the request.',
    table(
      ['request', 'with', 'answer', 'what it does'],
      Object.keys(requests).map((name) => [
        code(name),
        name === 'command' ? 'a [command](events-and-commands.md#commands)' : text.fieldList(`request ${name}`) || 'anything or nothing',
        answerText(name),
        requestMeanings[name as keyof typeof requests],
      ]),
    ),
    '## What the server sends',
    'Without `batch`, each event comes as a message that is named by its type, with the whole event as its payload.',
    table(
      ['message', 'with', 'when'],
      [
        ...Object.keys(serverMessages).map((name) => [
          code(name),
          text.nameList(`message ${name}`),
          messageMeanings[name as keyof typeof serverMessages],
        ]),
        ...Object.entries(answerNames).map(([request, name]) => [
          code(name),
          `the answer to ${code(request)}`,
          'Beside the acknowledgement.',
        ]),
      ],
    ),
  );
}

/** The page of the HTTP interface. */
export function httpPage(): string {
  return page(
    '# HTTP routes and errors',
    `Requests and answers are JSON. \`GET /api/docs\` and \`shannon-dash spec openapi\` have the same for programs. ${fieldsNote}`,
    ...endpoints.map(routeText),
    '## Errors',
    'The body of every error is `{success: false, error, code, timestamp, details?, retry_after_ms?}`.',
    table(
      ['code', 'status', 'send again', 'meaning'],
      Object.entries(errorTable).map(([name, { status, retryable }]) => [
        code(name),
        String(status),
        retryable ? 'later' : '',
        errorMeanings[name as keyof typeof errorTable],
      ]),
    ),
    'A client has errors of its own, which no server answers with:',
    table(
      ['code', 'meaning'],
      (Object.keys(localErrorTable) as (keyof typeof localErrorTable)[]).map((name) => [code(name), errorMeanings[name]]),
    ),
  );
}

function routeText(name: EndpointName): string {
  const { method, path, summary, query, body, bodyLines = [], bodyBytes = [], answer, answerTexts = [], statuses } = endpointOf(name);
  const answered = [...(answer === undefined ? [] : [answerText(name)]), ...answerTexts.map(code)];
  const lines = [
    ...(query === undefined ? [] : [`query: ${text.fieldList(`query ${name}`)}`]),
    ...(body === undefined ? [] : [`body: ${[bodyText(name), ...[...bodyLines, ...bodyBytes].map(code)].join('; or ')}`]),
    ...(answered.length === 0 ? [] : [`answer: ${answered.join('; or ')}`]),
    `status: ${Object.entries(statuses)
      .map(([status, meaning]) => `${status} ${meaning}`)
      .join(' · ')}`,
  ];
  return [`## \`${method} ${path}\``, `${summary}.`, lines.map((line) => `- ${line}`).join('\n')].join('\n\n');
}

const answerOfCommand = 'the [answer to a command](events-and-commands.md#the-answer-to-a-command)';

function answerText(name: string): string {
  if (name === 'command' || name === 'answerDecision') return answerOfCommand;
  if (name === 'session' || name === 'createSession') return 'the [state](events-and-commands.md#the-state-of-a-session), with `epoch`';
  return text.nameList(`answer ${name}`) || 'the document';
}

function bodyText(name: EndpointName): string {
  if (name === 'command') return 'a [command](events-and-commands.md#commands)';
  if (name === 'publish') return `an event (${text.fieldList('Event')}) or a list of events`;
  return text.fieldList(`body ${name}`) || 'a JSON object';
}

/** The page of limits. */
export function limitsPage(): string {
  const source = readFileSync(new URL('../../../src/core/protocol/limits.ts', import.meta.url), 'utf8');
  const rows = (object: string, values: Readonly<Record<string, number>>) => {
    const comments = commentsOf(source, object);
    return Object.entries(values).map(([name, value]) => {
      const comment = comments.get(name) ?? '';
      if (comment === '') throw new Error(`limits.ts does not say what ${object}.${name} is`);
      return [code(name), valueText(name, value), comment];
    });
  };
  const { protocol: _, ...bounds } = limits;
  return page(
    '# Limits',
    'Every buffer, queue and list has a bound. The names are those of `limits`, which the SDK exports.',
    table(['name', 'at most', 'of what'], rows('limits', bounds)),
    '## Callers with tokens, and callers who should have one',
    "Processes of the server's own user that need no token are not counted, and neither are the commands and events of an admin. Whoever sends too much is answered 429 with `Retry-After`, and `retry_after_ms` in the body. The SDK and the command line wait so long and try again, as far as their own time allows. Behind a proxy that `serve --trust-proxy` names, an address is the one that the proxy forwards.",
    table(['name', 'at most', 'of what'], rows('accessLimits', accessLimits)),
    '## Coding agents that are seen by their hooks',
    table(['name', 'at most', 'of what'], rows('agentLimits', agentLimits)),
    '## Agents that ask by MCP',
    'What is longer is shortened, and says so; a cursor leads to the rest.',
    table(['name', 'at most', 'of what'], rows('mcpLimits', mcpLimits)),
    '## What the state of a session keeps',
    'The journal keeps everything; the state, which is computed from it, keeps so much. What is let go is counted in `let_go`.',
    table(['name', 'at most', 'of what'], rows('foldLimits', foldLimits)),
    '## Notifications',
    table(['name', 'at most', 'of what'], rows('notificationLimits', notificationLimits)),
  );
}

/** `1 MiB`, `30 s`, `1,000`. */
function valueText(name: string, value: number): string {
  const units: readonly (readonly [number, string])[] = name.endsWith('Bytes')
    ? [
        [1024 * 1024, 'MiB'],
        [1024, 'KiB'],
        [1, 'bytes'],
      ]
    : name.endsWith('Ms')
      ? [
          [3_600_000, 'h'],
          [60_000, 'min'],
          [1_000, 's'],
          [1, 'ms'],
        ]
      : [[1, '']];
  const [size, unit] = units.find(([each]) => value % each === 0) ?? [1, ''];
  return `${(value / size).toLocaleString('en')} ${unit}`.trim();
}
