import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { jsonText } from '../../core/json/json.ts';
import { createSessionRequest } from '../../core/protocol/messages.ts';
import { parse } from '../../core/json/parse.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { principalOf, wholeNumber, type PathParameters, type RouteParts } from './route-parts.ts';

const stateQuery = z.object({ at: wholeNumber(Number.MAX_SAFE_INTEGER).optional() });

/** `/api/sessions`: list, create, look, delete. */
export function addSessionRoutes(app: FastifyInstance, parts: RouteParts): void {
  app.get('/api/sessions', (request) => {
    const sessions = parts.as(principalOf(request)).sessions();
    return { sessions, total: sessions.length, timestamp: timestampNow() };
  });
  app.post('/api/sessions', async (request, reply) => {
    const origin = parse(createSessionRequest, request.body);
    jsonText(origin.metadata ?? {}, 'metadata');
    return reply.code(201).send(await parts.as(principalOf(request)).create(origin));
  });
  app.get<{ Params: PathParameters }>('/api/sessions/:id', (request) => {
    const { at } = parse(stateQuery, request.query);
    return parts.as(principalOf(request)).state(request.params.id, at);
  });
  app.delete<{ Params: PathParameters }>('/api/sessions/:id', async (request) => {
    await parts.as(principalOf(request)).delete(request.params.id);
    return { success: true, message: `Session ${request.params.id} and its journal are deleted` };
  });
}
