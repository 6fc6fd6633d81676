import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hookHeaders } from '../../adapters/hook-headers.ts';
import { sessionId } from '../../core/ids.ts';
import { parse } from '../../core/json/parse.ts';
import { shortId } from '../../core/ids.ts';
import { mayKnowPaths } from '../access/local-caller.ts';
import { principalOf, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

/** `/api/hooks/{agent}`: what coding agents say by their hooks. The answer may be held for as long as the hook may. */
export function addHookRoutes(app: FastifyInstance, { agentHooks, as }: RouteParts): void {
  addRoute(app, 'hook', async ({ path, body, request, reply }) => {
    const principal = principalOf(request);
    const access = as(principal);
    // Whether the caller may publish at all is asked before anything of it is looked at.
    access.producer();
    const input = body();
    const { body: answer, onSent } = await agentHooks.take({
      agent: path.agent,
      input,
      access,
      tenant: principal.tenant,
      under: underOf(request),
      isLocal: mayKnowPaths(request.raw),
      pid: pidOf(request),
      checkpoints: headerOf(request, hookHeaders.checkpoints) === 'git',
      gone: goneOf(reply),
    });
    if (reply.raw.destroyed) onSent(false);
    else reply.raw.once('close', () => onSent(reply.raw.writableFinished));
    return answer;
  });
}

/** Ends when the caller closes the connection before it has the answer. */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** @throws ShannonDashError INVALID */
function underOf(request: FastifyRequest): { session: string; run: string | undefined } | undefined {
  const session = headerOf(request, hookHeaders.session);
  if (session === undefined) return undefined;
  const run = headerOf(request, hookHeaders.run);
  return {
    session: parse(sessionId, session, hookHeaders.session),
    run: run === undefined ? undefined : parse(shortId, run, hookHeaders.run),
  };
}

/** The agent's process: only a caller on this machine can mean one of this machine. */
function pidOf(request: FastifyRequest): number | undefined {
  const text = headerOf(request, hookHeaders.pid);
  if (text === undefined || !/^[1-9]\d{0,8}$/.test(text) || !mayKnowPaths(request.raw)) return undefined;
  return Number(text);
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
