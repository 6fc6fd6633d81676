import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { parse } from '../../core/json/parse.ts';
import type { Hub } from '../sessions/hub.ts';
import { liveSessions } from '../sessions/live-sessions.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { mayKnowPaths } from '../access/local-caller.ts';
import type { ListedSkill } from '../skills/skill-list.ts';
import { openApiDocument } from './openapi.ts';
import type { PathParameters, RouteParts } from './route-parts.ts';

const skillsQuery = z.object({
  category: z.string().optional(),
  domain: z.string().optional(),
  tag: z.string().optional(),
  q: z.string().optional(),
});

/** What is about the server as a whole: health, figures, description, skills. */
export function addServerRoutes(
  app: FastifyInstance,
  { figures, store, hub, journal, ledger, skills, version, connections, endsWhenUnused }: RouteParts,
): void {
  app.get('/health', (request, reply) => {
    const health = journal.health();
    // History can be read and watched; whoever publishes or steers is refused.
    if (!health.isWritable) reply.code(503);
    return {
      ...(health.isWritable
        ? { status: 'healthy' }
        : {
            status: 'degraded',
            reason: mayKnowPaths(request.raw)
              ? `The journal cannot be written: ${health.reason}`
              : "The journal cannot be written; the server's log says why",
          }),
      version,
      timestamp: new Date().toISOString(),
      active_sessions: liveSessions(store).length,
      connected_clients: connections(),
      uptime_seconds: figures.uptimeSeconds,
    };
  });
  app.get('/api/stats', (request) => ({
    total_connections: connections(),
    sessions: watchersBySession(store, hub),
    timestamp: new Date().toISOString(),
    version,
    uptime_seconds: figures.uptimeSeconds,
    events_total: figures.eventsTotal,
    events_per_second: figures.eventsPerSecond,
    publish: figures.latency(),
    orchestrators: ledger.orchestrators,
    ends_when_unused: endsWhenUnused,
    journal: {
      ...(journal.location === 'memory' || mayKnowPaths(request.raw) ? { location: journal.location } : {}),
      size_bytes: journal.sizeBytes(),
    },
  }));
  app.get('/metrics', async (_request, reply) => reply.type(figures.registry.contentType).send(await figures.registry.metrics()));
  app.get('/api/docs', () => openApiDocument(version));
  app.get('/api/skills', async (request) => {
    await skills.ready;
    const found = skills.list(parse(skillsQuery, request.query));
    const total = found.length;
    if (!mayKnowPaths(request.raw)) return { skills: found.map(withoutPath), total };
    return { skills: found, total, ...(skills.problems.length === 0 ? {} : { problems: skills.problems }) };
  });
  app.get<{ Params: PathParameters }>('/api/skills/:name', async (request) => {
    await skills.ready;
    const skill = skills.get(request.params.name);
    if (skill === undefined) throw new ShannonDashError('NOT_FOUND', `Skill not found: ${request.params.name}`);
    return mayKnowPaths(request.raw) ? skill : withoutPath(skill);
  });
}

function withoutPath({ path: _path, ...skill }: ListedSkill): Omit<ListedSkill, 'path'> {
  return skill;
}

/** How many watch each session by name: of every session, and of those that do not exist yet. */
function watchersBySession(store: SessionStore, hub: Hub): Record<string, number> {
  const ids = new Set([...store.all()].map(({ head }) => head.session_id));
  for (const id of hub.watchedSessions()) ids.add(id);
  return Object.fromEntries([...ids].map((id) => [id, hub.watchers(id)]));
}
