import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parse } from '../../core/json/parse.ts';
import { mayKnowPaths } from '../access/local-caller.ts';
import type { ListedSkill } from '../skills/skill-list.ts';
import { openApiDocument } from './openapi.ts';
import { principalOf, type PathParameters, type RouteParts } from './route-parts.ts';

const skillsQuery = z.object({
  category: z.string().optional(),
  domain: z.string().optional(),
  tag: z.string().optional(),
  q: z.string().optional(),
});

/** What is about the server as a whole: health, figures, description, skills. */
export function addServerRoutes(app: FastifyInstance, parts: RouteParts): void {
  app.get('/health', (request, reply) => {
    const { journal, active_sessions, uptime_seconds } = parts.as(principalOf(request)).health();
    // History can be read and watched; whoever publishes or steers is refused.
    if (!journal.isWritable) reply.code(503);
    return {
      ...(journal.isWritable
        ? { status: 'healthy' }
        : {
            status: 'degraded',
            reason: mayKnowPaths(request.raw)
              ? `The journal cannot be written: ${journal.reason}`
              : "The journal cannot be written; the server's log says why",
          }),
      version: parts.version,
      timestamp: new Date().toISOString(),
      active_sessions,
      connected_clients: parts.connections(),
      uptime_seconds,
    };
  });
  app.get('/api/stats', (request) => {
    const { sessions, journal, ...figures } = parts.as(principalOf(request)).stats();
    const { location, size_bytes } = journal;
    return {
      total_connections: parts.connections(),
      sessions,
      timestamp: new Date().toISOString(),
      version: parts.version,
      ...figures,
      ends_when_unused: parts.endsWhenUnused,
      journal: { ...(location === 'memory' || mayKnowPaths(request.raw) ? { location } : {}), size_bytes },
    };
  });
  app.get('/metrics', async (request, reply) => {
    const { contentType, text } = await parts.as(principalOf(request)).metrics();
    return reply.type(contentType).send(text);
  });
  app.get('/api/docs', () => openApiDocument(parts.version));
  app.get('/api/skills', async (request) => {
    const { skills, problems } = await parts.as(principalOf(request)).skills(parse(skillsQuery, request.query));
    const total = skills.length;
    if (!mayKnowPaths(request.raw)) return { skills: skills.map(withoutPath), total };
    return { skills, total, ...(problems.length === 0 ? {} : { problems }) };
  });
  app.get<{ Params: PathParameters }>('/api/skills/:name', async (request) => {
    const skill = await parts.as(principalOf(request)).skill(request.params.name);
    return mayKnowPaths(request.raw) ? skill : withoutPath(skill);
  });
}

function withoutPath({ path: _path, ...skill }: ListedSkill): Omit<ListedSkill, 'path'> {
  return skill;
}
