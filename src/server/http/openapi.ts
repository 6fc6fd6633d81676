import { z } from 'zod';
import { commandBody, endpointOf, httpApi, type EndpointName } from '../../core/http-api.ts';
import { commandResult, commandResults, commandState, commandTable, commandTypes } from '../../core/protocol/command.ts';
import { decisionOption, eventTable } from '../../core/protocol/event-table.ts';
import { eventInput, eventList, sessionEvent } from '../../core/protocol/event.ts';
import { errorAnswer } from '../../core/protocol/error-answer.ts';
import { createSessionRequest } from '../../core/protocol/messages.ts';
import { sessionState } from '../../core/protocol/session-state.ts';

type Json = Record<string, unknown>;

const uri = (name: string) => `#/components/schemas/${name}`;
const ref = (name: string) => ({ $ref: uri(name) });

/** The OpenAPI 3.1 description of the HTTP interface. Its routes come from the table, its schemas are those that check. */
export function openApiDocument(version: string): Json {
  const names = (Object.keys(httpApi) as EndpointName[]).filter((name) => name !== 'docs');
  const inputs = schemasOf('input', {
    Event: eventInput,
    CreateSession: createSessionRequest,
    DecisionOption: decisionOption,
    ...Object.fromEntries(Object.entries(eventTable).map(([type, schema]) => [`data.${type.replace(':', '.')}`, schema])),
    ...Object.fromEntries(names.flatMap((name) => entryOf(`body.${name}`, endpointOf(name).body))),
  });
  const queries = schemasOf('input', Object.fromEntries(names.flatMap((name) => entryOf(name, endpointOf(name).query))));
  const outputs = schemasOf('output', {
    SessionEvent: sessionEvent,
    SessionState: sessionState,
    CommandState: commandState,
    CommandResult: commandResult,
    CommandResults: commandResults,
    Error: errorAnswer,
    ...Object.fromEntries(names.flatMap((name) => entryOf(`answer.${name}`, endpointOf(name).answer))),
  });
  const commands = schemasOf('input', commandTable);
  return {
    openapi: '3.1.0',
    info: { title: 'shannon-dash', version, description: 'Sessions as journals of events, commands that tell the truth.' },
    paths: Object.fromEntries(
      [...Map.groupBy(names, (name) => endpointOf(name).path)].map(([path, each]) => [
        path,
        Object.fromEntries(each.map((name) => [endpointOf(name).method.toLowerCase(), operationOf(name, queries[name])])),
      ]),
    ),
    components: {
      schemas: {
        ...inputs,
        ...outputs,
        ...Object.fromEntries(commandTypes.map((type) => [type, withType(type, commands[type] ?? {})])),
      },
    },
  };
}

/** Bodies that are listed under a name of their own. */
const shared: ReadonlyMap<z.ZodType | undefined, string> = new Map<z.ZodType | undefined, string>([
  [createSessionRequest, 'CreateSession'],
]);

/** A schema by its own name, unless it is listed under another one. */
function entryOf(name: string, schema: z.ZodType | undefined): [string, z.ZodType][] {
  return schema === undefined || shared.has(schema) ? [] : [[name, schema]];
}

function operationOf(name: EndpointName, queries: Json | undefined): Json {
  const { path, summary, verb, body, answer, statuses } = endpointOf(name);
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const query = Object.entries((queries?.['properties'] ?? {}) as Json);
  return {
    operationId: name,
    summary,
    ...(verb === null ? {} : { 'x-verb': verb }),
    parameters: [...inPath, ...query.map(([field, schema]) => ({ name: field, in: 'query', schema }))],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: ref(shared.get(body) ?? `body.${name}`) } } } }),
    responses: Object.fromEntries(
      Object.entries(statuses).map(([status, description]) => [status, { description, ...contentOf(Number(status), name, answer) }]),
    ),
  };
}

function contentOf(status: number, name: EndpointName, answer: z.ZodType | undefined): Json {
  // A server in trouble answers /health as one that is well does.
  if (status >= 400 && name !== 'health') return { content: { 'application/json': { schema: ref('Error') } } };
  if (answer === undefined) return { content: { 'text/plain': { schema: { type: 'string' } } } };
  return { content: { 'application/json': { schema: ref(`answer.${name}`) } } };
}

/** JSON schemas by name; one that holds another refers to it. */
function schemasOf(io: 'input' | 'output', schemas: Readonly<Record<string, z.ZodType>>): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  // Two types of events may have the same data.
  const ids = new Map<z.ZodType, string>();
  for (const [id, schema] of Object.entries(schemas)) {
    if (!ids.has(schema)) registry.add(schema, { id });
    ids.set(schema, ids.get(schema) ?? id);
  }
  const made = z.toJSONSchema(registry, {
    io,
    uri,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if ((zodSchema as unknown) === eventList) Object.assign(jsonSchema, { type: 'array', items: ref('SessionEvent') });
      if ((zodSchema as unknown) === commandBody) {
        for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Json)[key];
        Object.assign(jsonSchema, { oneOf: commandTypes.map(ref) });
      }
    },
  }).schemas as Record<string, Json>;
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const own = ids.get(schema) ?? name;
      if (own !== name) return [name, ref(own)];
      const { $schema: _, $id: __, id: ___, ...json } = made[name] ?? {};
      return [name, json];
    }),
  );
}

function withType(type: string, schema: Json): Json {
  const common = { type: { const: type }, command_id: { type: 'string' }, timeout_ms: { type: 'number' } };
  return {
    ...schema,
    properties: { ...common, ...(schema['properties'] as Json | undefined) },
    required: ['type', ...((schema['required'] as string[] | undefined) ?? [])],
  };
}
