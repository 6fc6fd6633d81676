import type { FastifyInstance } from 'fastify';
import type { AnswerOf } from '../../core/http-api.ts';
import { analyticsCsv } from '../../core/rollup/analytics-csv.ts';
import { knowsPaths } from '../access/guarded-server.ts';
import type { ListedSkill } from '../skills/skill-list.ts';
import { openApiDocument } from '../../core/spec/openapi.ts';
import { principalOf, principalOrAnonymous, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

/** What is about the server as a whole: health, figures, description, skills. */
export function addServerRoutes(app: FastifyInstance, parts: RouteParts): void {
  addRoute(app, 'health', ({ query: { challenge }, request, reply }) => {
    const principal = principalOrAnonymous(request);
    const { isWritable, degraded, ...figures } = parts.as(principal).health();
    // Clients can read and watch the history; publishing and commands are refused.
    if (!isWritable) reply.code(503);
    const proof = challenge === undefined ? undefined : parts.prove?.(challenge);
    const status = {
      status: isWritable ? 'healthy' : 'degraded',
      timestamp: new Date().toISOString(),
      live: true,
      ready: isWritable,
      ...(proof === undefined ? {} : { proof }),
    };
    if (principal.role === 'anonymous') return status;
    const isTold = knowsPaths(request.raw);
    const failure = degraded.find(({ code }) => code === 'journal_not_writable');
    return {
      ...status,
      ...(failure && { reason: isTold ? failure.reason : "The journal cannot be written; the server's log says why" }),
      ...(degraded.length === 0 ? {} : { degraded: degraded.map(({ code, reason }) => ({ code, ...(isTold ? { reason } : {}) })) }),
      version: parts.version,
      ...figures,
    };
  });
  addRoute(app, 'live', () => ({ live: true as const }));
  addRoute(app, 'ready', ({ request, reply }) => {
    const ready = parts.as(principalOrAnonymous(request)).isReady();
    if (!ready) reply.code(503);
    return { ready };
  });
  addRoute(app, 'stats', ({ request }) => {
    const { sessions, journal, ...figures } = parts.as(principalOf(request)).stats();
    const { location, size_bytes } = journal;
    return {
      sessions,
      timestamp: new Date().toISOString(),
      version: parts.version,
      ...figures,
      ends_when_unused: parts.endsWhenUnused,
      journal: { ...(location === 'memory' || knowsPaths(request.raw) ? { location } : {}), size_bytes },
    };
  });
  addRoute(app, 'metrics', async ({ request, reply }) => {
    const { contentType, text } = await parts.as(principalOf(request)).metrics();
    return reply.type(contentType).send(text);
  });
  addRoute(app, 'analytics', async ({ query: { format, ...query }, request, reply }) => {
    const analytics = await parts.as(principalOf(request)).analytics(query);
    if (format === 'csv') return reply.type('text/csv; charset=utf-8').send(analyticsCsv(analytics.rows));
    return { ...analytics, timestamp: new Date().toISOString() };
  });
  let document: ReturnType<typeof openApiDocument> | undefined;
  addRoute(app, 'docs', () => (document ??= openApiDocument(parts.version)));
  addRoute(app, 'skills', async ({ query, request }) => {
    const { skills, problems } = await parts.as(principalOf(request)).skills(query);
    const total = skills.length;
    if (!knowsPaths(request.raw)) return { skills: skills.map(withoutPath), total };
    return { skills, total, ...(problems.length === 0 ? {} : { problems: [...problems] }) };
  });
  addRoute(app, 'skill', async ({ path, request }) => {
    const skill = await parts.as(principalOf(request)).skill(path.name);
    return knowsPaths(request.raw) ? skill : withoutPath(skill);
  });
}

function withoutPath({ path: _path, ...skill }: ListedSkill): AnswerOf<'skill'> {
  return skill;
}
