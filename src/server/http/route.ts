import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { endpointOf, type AnswerOf, type BodyOf, type EndpointName, type PathOf, type QueryOf } from '../../core/http-api.ts';
import { parse } from '../../core/json/parse.ts';
import type { answerError } from './http-errors.ts';

/** A request to an endpoint, checked by the endpoint's row in the table. */
export interface Call<Name extends EndpointName> {
  path: PathOf<Name>;
  query: QueryOf<Name>;
  /** Checked here, unless the row says that the verb checks it. */
  body: () => BodyOf<Name>;
  request: FastifyRequest;
  reply: FastifyReply;
}

type Sent<Name extends EndpointName> = AnswerOf<Name> | FastifyReply | undefined;

/**
 * Adds the route of an endpoint.
 * @param handle gives the answer; or sends it, and gives the reply
 */
export function addRoute<Name extends EndpointName>(
  app: FastifyInstance,
  name: Name,
  handle: (call: Call<Name>) => Sent<Name> | Promise<Sent<Name>>,
  options: { errorHandler?: typeof answerError } = {},
): void {
  const { method, path, query, body, verbChecksBody } = endpointOf(name);
  const isBodyChecked = body !== undefined && verbChecksBody !== true;
  app.route({
    ...options,
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) =>
      handle({
        path: request.params as PathOf<Name>,
        query: (query === undefined ? undefined : parse(query, request.query)) as QueryOf<Name>,
        body: () => (isBodyChecked ? parse(body, request.body) : request.body) as BodyOf<Name>,
        request,
        reply,
      }),
  });
}
