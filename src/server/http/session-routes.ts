import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { jsonText } from '../../core/json/json.ts';
import { createSessionRequest } from '../../core/protocol/messages.ts';
import { parse } from '../../core/json/parse.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Hub } from '../sessions/hub.ts';
import type { LostSessions } from '../sessions/lost-sessions.ts';
import { brief, type SessionStore, type StoredSession } from '../sessions/session-store.ts';
import { sessionNotFound, wholeNumber, type PathParameters, type RouteParts } from './route-parts.ts';

const stateQuery = z.object({ at: wholeNumber(Number.MAX_SAFE_INTEGER).optional() });

/** `/api/sessions`: list, create, look, delete. */
export function addSessionRoutes(app: FastifyInstance, { store, hub, journal, lost }: RouteParts): void {
  app.get('/api/sessions', () => {
    const sessions = [...store.all()].map((session) => summary(session, hub, lost));
    return { sessions, total: sessions.length, timestamp: timestampNow() };
  });
  app.post('/api/sessions', async (request, reply) => {
    const origin = parse(createSessionRequest, request.body);
    jsonText(origin.metadata ?? {}, 'metadata');
    const head = await journal.create({ ...origin, created_at: new Date().toISOString() });
    return reply.code(201).send(await wholeState(store, head.session_id, undefined));
  });
  app.get<{ Params: PathParameters }>('/api/sessions/:id', (request) => {
    const { at } = parse(stateQuery, request.query);
    return wholeState(store, request.params.id, at);
  });
  app.delete<{ Params: PathParameters }>('/api/sessions/:id', async (request) => {
    if (!(await journal.delete(request.params.id))) throw sessionNotFound(request.params.id);
    return { success: true, message: `Session ${request.params.id} and its journal are deleted` };
  });
}

/** How a session is listed. */
function summary(session: StoredSession, hub: Hub, lost: LostSessions) {
  const { status, current_skill, progress, orchestrator, updated_at, open_decisions } = brief(session);
  const { session_id, created_at, seq } = session.head;
  return {
    session_id,
    created_at,
    updated_at,
    status,
    current_skill,
    progress,
    seq,
    watchers: hub.watchers(session_id),
    producers: lost.producersOf(session_id),
    orchestrator,
    open_decisions,
  };
}

async function wholeState(store: SessionStore, id: string, at: number | undefined): Promise<SessionState & { epoch: string }> {
  const state = at === undefined ? await store.load(id) : await store.at(id, at);
  const session = store.get(id);
  if (state === undefined || session === undefined) throw sessionNotFound(id);
  return { ...state, epoch: session.head.epoch };
}
