import type { FastifyInstance } from 'fastify';
import { jsonText } from '../../core/json/json.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { principalOf, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

/** `/api/sessions`: list, create, look, delete. */
export function addSessionRoutes(app: FastifyInstance, parts: RouteParts): void {
  addRoute(app, 'sessions', async ({ query, request, reply }) => {
    const { sessions, close } = await parts.as(principalOf(request)).sessions(query.prefix);
    reply.raw.once('close', close);
    return { sessions, total: sessions.length, timestamp: timestampNow() };
  });
  addRoute(app, 'createSession', async ({ body, request, reply }) => {
    const origin = body();
    jsonText(origin.metadata ?? {}, 'metadata');
    const session = await parts.as(principalOf(request)).create(origin);
    reply.code(201);
    return session;
  });
  addRoute(app, 'session', ({ path, query, request }) => parts.as(principalOf(request)).state(path.id, query.at));
  addRoute(app, 'deleteSession', async ({ path, request }) => {
    await parts.as(principalOf(request)).delete(path.id);
    return { success: true as const, message: `Session ${path.id} and its journal are deleted` };
  });
}
