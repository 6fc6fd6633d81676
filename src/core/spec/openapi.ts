import type { z } from 'zod';
import { endpointOf, httpApi, type EndpointName } from '../http-api.ts';
import { createSessionRequest } from '../protocol/messages.ts';
import { componentSchemas, ref, schemasOf, type Json } from './json-schemas.ts';

/** The OpenAPI 3.1 description of the HTTP interface. Its routes come from the table, its schemas are those that check. */
export function openApiDocument(version: string): Json {
  const names = (Object.keys(httpApi) as EndpointName[]).filter((name) => name !== 'docs');
  const entries = (part: 'body' | 'answer') =>
    Object.fromEntries(names.flatMap((name) => entryOf(`${part}.${name}`, endpointOf(name)[part])));
  const queries = schemasOf('input', Object.fromEntries(names.flatMap((name) => entryOf(name, endpointOf(name).query))));
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
      schemas: componentSchemas({ inputs: { CreateSession: createSessionRequest, ...entries('body') }, outputs: entries('answer') }),
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
  const { path, summary, verb, body, bodyLines = [], bodyBytes = [], answer, answerTexts, statuses } = endpointOf(name);
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const query = Object.entries((queries?.['properties'] ?? {}) as Json);
  const requestBody = {
    required: true,
    content: { 'application/json': { schema: ref(shared.get(body) ?? `body.${name}`) }, ...textContent([...bodyLines, ...bodyBytes]) },
  };
  return {
    operationId: name,
    summary,
    ...(verb === null ? {} : { 'x-verb': verb }),
    parameters: [...inPath, ...query.map(([field, schema]) => ({ name: field, in: 'query', schema }))],
    ...(body === undefined ? {} : { requestBody }),
    responses: Object.fromEntries(
      Object.entries(statuses).map(([status, description]) => [
        status,
        { description, content: contentOf(Number(status), name, { answer, answerTexts }) },
      ]),
    ),
  };
}

function contentOf(
  status: number,
  name: EndpointName,
  { answer, answerTexts }: Pick<ReturnType<typeof endpointOf>, 'answer' | 'answerTexts'>,
): Json {
  // A server in trouble answers /health as one that is well does.
  if (status >= 400 && name !== 'health') return { 'application/json': { schema: ref('Error') } };
  return { ...(answer === undefined ? {} : { 'application/json': { schema: ref(`answer.${name}`) } }), ...textContent(answerTexts) };
}

/** Content of types that no JSON schema describes. */
function textContent(types: readonly string[] = []): Json {
  return Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]));
}
