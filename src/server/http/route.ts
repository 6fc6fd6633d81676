import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { may } from '../../core/access.ts';
import { endpointOf, type AnswerOf, type BodyOf, type EndpointName, type PathOf, type QueryOf } from '../../core/http-api.ts';
import { parse } from '../../core/json/parse.ts';
import { tokenMissing } from '../access/authenticator.ts';
import { callerOf } from '../access/guarded-server.ts';
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
  const { method, path, query, body, verbChecksBody, verb, needsCaller } = endpointOf(name);
  const isOpen = verb === null ? needsCaller !== true : may('anonymous', verb);
  const isBodyChecked = body !== undefined && verbChecksBody !== true;
  app.route({
    ...options,
    method,
    // Before the body is read: a caller without a token has the server read nothing for it.
    onRequest: (request, _reply, done) => done(!isOpen && callerOf(request.raw).kind === 'unknown' ? tokenMissing() : undefined),
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
