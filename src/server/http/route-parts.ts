import type { FastifyRequest } from 'fastify';
import { limits } from '../../core/protocol/limits.ts';
import { tokenMissing } from '../access/authenticator.ts';
import type { AgentHooks } from '../agents/agent-hooks.ts';
import type { BrowserLogins } from '../access/browser/browser-logins.ts';
import { callerOf } from '../access/guarded-server.ts';
import { anonymous, unrestricted, type Principal } from '../access/principal.ts';
import type { Shares } from '../access/tokens/shares.ts';
import type { CutReason } from '../sessions/backlog.ts';
import type { ReadBudget } from '../sessions/read-budget.ts';
import type { Tuning } from '../tuning/tuning.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';

/** What the routes work with. */
export interface RouteParts {
  /** What a principal can do in the workspace; with the address from where it calls, where that is to be kept. */
  as: (principal: Principal, address?: string) => WorkspaceAccess;
  /** From where a request comes. */
  addressOf: (request: FastifyRequest['raw']) => string;
  agentHooks: AgentHooks;
  budget: ReadBudget;
  tuning: Tuning;
  version: string;
  /** Proves by an answer to a challenge that this server has left its user's programs a token; absent for one that has not. */
  prove: ((challenge: string) => string) | undefined;
  logins: BrowserLogins;
  /** Absent where no file of tokens is kept. */
  shares: Shares | undefined;
  /** The URL by which browsers reach the server where that is not its address. */
  publicUrl: string | undefined;
  endsWhenUnused: boolean;
  /** A client was cut because it does not read its answer. */
  onSlowConsumer: (reason: CutReason) => void;
}

/**
 * The principal behind a request. A process of the server's own user is believed the name in its `X-Client`.
 * @param unnamed what stands in the ledger for one without a name
 * @throws ShannonDashError UNAUTHENTICATED the caller has shown no token
 */
export function principalOf({ raw, headers }: FastifyRequest, unnamed = 'http'): Principal {
  const caller = callerOf(raw);
  if (caller.kind === 'token') return caller.principal;
  if (caller.kind === 'unknown') throw tokenMissing();
  const header = headers['x-client'];
  const name = typeof header === 'string' && header !== '' ? header.slice(0, limits.idChars) : undefined;
  return unrestricted(name, unnamed);
}

/** The same for a request that needs no token. */
export function principalOrAnonymous(request: FastifyRequest, unnamed?: string): Principal {
  if (callerOf(request.raw).kind === 'unknown') return anonymous;
  return principalOf(request, unnamed);
}
