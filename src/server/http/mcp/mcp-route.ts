import { once } from 'node:events';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { may } from '../../../core/access.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import type { Principal } from '../../access/principal.ts';
import { refusalBody } from '../http-errors.ts';
import { principalOf, type RouteParts } from '../route-parts.ts';
import { addRoute } from '../route.ts';
import { McpWaits, workspaceCalls } from './workspace-calls.ts';

/** `/mcp`: what agents ask. */
export function addMcpRoute(app: FastifyInstance, parts: RouteParts): void {
  const waits = new McpWaits();
  addRoute(app, 'mcp', async ({ query, body, request, reply }) => {
    const principal = principalOf(request, 'mcp');
    const mayWrite = query.read_only !== true;
    const asking = {
      calls: workspaceCalls(parts.as(principal, parts.addressOf(request.raw)), waits),
      own: [query.session ?? onlySessionOf(principal)].filter((session) => session !== undefined),
      isSupervisor: query.supervisor === true,
      mayPublish: mayWrite && may(principal.role, 'publish'),
      mayCommand: mayWrite && may(principal.role, 'command'),
    };
    // Most servers are never asked: the protocol's package is loaded with the first request.
    const { answerMcp } = await import('./mcp-answer.ts');
    const { headers } = request;
    return send(reply, await answerMcp({ headers, message: body(), asking, version: parts.version, signal: goneSignal(reply) }));
  });
  // Clients of the older protocol ask for a stream, and take a 405 as: there is none.
  for (const name of ['mcpStream', 'mcpEnd'] as const) {
    addRoute(app, name, ({ request, reply }) => {
      const error = new ShannonDashError('INVALID', 'POST a message here; this server keeps no sessions of the protocol, and no streams');
      return reply.code(405).header('allow', 'POST').send(refusalBody(request, error));
    });
  }
}

/** An orchestrator whose token is for one session is that session's agent. */
function onlySessionOf({ role, sessions }: Principal): string | undefined {
  const [session, ...others] = sessions;
  return role === 'orchestrator' && others.length === 0 && session?.includes('*') === false ? session : undefined;
}

/** Aborted once nobody reads the answer any more. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  once(raw, 'close').then(
    () => gone.abort(),
    () => gone.abort(),
  );
  return gone.signal;
}

async function send(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  const body = Buffer.from(await response.arrayBuffer());
  reply.code(response.status);
  response.headers.forEach((value, name) => void reply.header(name, value));
  return reply.send(body);
}
