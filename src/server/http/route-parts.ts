import type { FastifyRequest } from 'fastify';
import { limits } from '../../core/protocol/limits.ts';
import { unrestricted, type Principal } from '../access/principal.ts';
import type { ReadBudget } from '../sessions/read-budget.ts';
import type { Tuning } from '../tuning/tuning.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';

/** What the routes work with. */
export interface RouteParts {
  /** What a principal can do in the workspace. */
  as: (principal: Principal) => WorkspaceAccess;
  budget: ReadBudget;
  tuning: Tuning;
  version: string;
  connections: () => number;
  endsWhenUnused: boolean;
  /** A client was cut because it does not read its answer. */
  onSlowConsumer: () => void;
}

/**
 * The principal behind a request. Its name is what the caller says in `X-Client`: without tokens it cannot be proved.
 * @param unnamed what stands in the ledger for a caller without a name
 */
export function principalOf(request: FastifyRequest, unnamed = 'http'): Principal {
  const header = request.headers['x-client'];
  const name = typeof header === 'string' && header !== '' ? header.slice(0, limits.idChars) : undefined;
  return unrestricted(name, unnamed);
}
