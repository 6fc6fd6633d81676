import { z } from 'zod';
import { commandTable, commandTypes } from '../../core/protocol/command.ts';
import { decisionOption, eventTable } from '../../core/protocol/event-table.ts';
import { eventInput } from '../../core/protocol/event.ts';
import { errorTable } from '../../core/protocol/errors.ts';
import { createSessionRequest } from '../../core/protocol/messages.ts';

type Json = Record<string, unknown>;

interface Operation {
  method: 'get' | 'post' | 'delete';
  path: string;
  summary: string;
  query?: string[];
  body?: Json;
  answers: Record<number, string>;
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/health',
    summary: 'Whether the server is well',
    answers: { 200: 'It is', 503: 'Nothing can be journalled now: `status` is `degraded`, and `reason` says why' },
  },
  { method: 'get', path: '/api/stats', summary: 'Figures of the server', answers: { 200: 'Connections, watchers, rates, journal' } },
  { method: 'get', path: '/metrics', summary: 'Figures for Prometheus', answers: { 200: 'Text exposition format' } },
  {
    method: 'get',
    path: '/api/skills',
    summary: 'Skills, with how often they were used',
    query: ['category', 'domain', 'tag', 'q'],
    answers: { 200: 'The skills' },
  },
  { method: 'get', path: '/api/skills/{name}', summary: 'One skill', answers: { 200: 'The skill', 404: 'No such skill' } },
  { method: 'get', path: '/api/sessions', summary: 'All sessions', answers: { 200: 'The sessions' } },
  {
    method: 'post',
    path: '/api/sessions',
    summary: 'Create a session',
    body: ref('CreateSession'),
    answers: { 201: 'The session', 400: 'A field is wrong', 409: 'It exists already' },
  },
  {
    method: 'get',
    path: '/api/sessions/{id}',
    summary: 'The fold of a session, now or at an earlier event',
    query: ['at'],
    answers: { 200: 'The state', 404: 'No such session' },
  },
  {
    method: 'delete',
    path: '/api/sessions/{id}',
    summary: 'Delete a session with its journal',
    answers: { 200: 'Deleted', 404: 'No such session' },
  },
  {
    method: 'post',
    path: '/api/sessions/{id}/events',
    summary: 'Publish one event, a list, or NDJSON',
    body: { oneOf: [ref('Event'), { type: 'array', items: ref('Event') }] },
    answers: {
      200: 'Journalled',
      400: 'A field is wrong: nothing was journalled',
      409: 'An id is known with other content',
      413: 'Too large',
    },
  },
  {
    method: 'get',
    path: '/api/sessions/{id}/events',
    summary: 'History as JSON or NDJSON; a live stream with Accept: text/event-stream, which obeys Last-Event-ID',
    query: ['after', 'limit', 'types'],
    answers: { 200: 'Events in order', 404: 'No such session' },
  },
  {
    method: 'post',
    path: '/api/sessions/{id}/commands',
    summary: 'Send a command and wait for its end, at most timeout_ms',
    body: { oneOf: commandTypes.map(ref) },
    answers: { 200: 'Finished', 202: 'Under way', 400: 'A field is wrong', 404: 'No such session', 409: 'Refused' },
  },
  {
    method: 'get',
    path: '/api/sessions/{id}/commands',
    summary: 'The ledger',
    query: ['status', 'limit'],
    answers: { 200: 'Commands, newest last', 404: 'No such session' },
  },
  {
    method: 'get',
    path: '/api/sessions/{id}/decisions/{decision}',
    summary: 'A decision and, while it is open, the path to answer it',
    answers: { 200: 'The decision', 404: 'No such decision' },
  },
  {
    method: 'post',
    path: '/api/sessions/{id}/decisions/{decision}/answer/{token}',
    summary: 'Answer a decision by its link',
    body: { type: 'object', required: ['choice'], properties: { choice: { type: 'string' }, comment: { type: 'string' } } },
    answers: { 200: 'Made', 202: 'Under way', 404: 'No such decision', 409: 'Made already' },
  },
];

/** The OpenAPI 3.1 description of the HTTP interface; its schemas are the ones that check requests. */
export function openApiDocument(version: string): Json {
  return {
    openapi: '3.1.0',
    info: { title: 'shannon-dash', version, description: 'Sessions as journals of events, commands that tell the truth.' },
    paths: Object.fromEntries(
      [...Map.groupBy(operations, (operation) => operation.path)].map(([path, each]) => [
        path,
        Object.fromEntries(each.map((operation) => [operation.method, describe(operation)])),
      ]),
    ),
    components: { schemas: schemas() },
  };
}

function describe({ path, summary, query = [], body, answers }: Operation): Json {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    summary,
    parameters: [...inPath, ...query.map((name) => ({ name, in: 'query', schema: { type: 'string' } }))],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, description]) => [
        status,
        Number(status) < 400 ? { description } : { description, content: { 'application/json': { schema: ref('Error') } } },
      ]),
    ),
  };
}

function schemas(): Json {
  const toJson = (schema: z.ZodType): Json => {
    const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    return json;
  };
  return {
    Event: toJson(eventInput),
    CreateSession: toJson(createSessionRequest),
    DecisionOption: toJson(decisionOption),
    ...Object.fromEntries(Object.entries(commandTable).map(([type, schema]) => [type, withType(type, toJson(schema))])),
    ...Object.fromEntries(Object.entries(eventTable).map(([type, schema]) => [`data.${type.replace(':', '.')}`, toJson(schema)])),
    Error: {
      type: 'object',
      required: ['success', 'error', 'code', 'timestamp'],
      properties: {
        success: { const: false },
        error: { type: 'string' },
        code: { enum: Object.keys(errorTable) },
        timestamp: { type: 'string', format: 'date-time' },
        details: {},
      },
    },
  };
}

function withType(type: string, schema: Json): Json {
  const common = { type: { const: type }, command_id: { type: 'string' }, timeout_ms: { type: 'number' } };
  return {
    ...schema,
    properties: { ...common, ...(schema['properties'] as Json | undefined) },
    required: ['type', ...((schema['required'] as string[] | undefined) ?? [])],
  };
}
