import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { limits } from '../../core/protocol/limits.ts';
import { unrestricted, type Principal } from '../access/principal.ts';
import type { ReadBudget } from '../sessions/read-budget.ts';
import type { Tuning } from '../sockets/tuning/tuning.ts';
import type { WorkspaceAccess } from '../workspace-access.ts';

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

/** The parameters in the paths of routes. */
export interface PathParameters {
  id: string;
  name: string;
  decision: string;
  token: string;
}

/** A whole number in a query. */
export const wholeNumber = (max: number) =>
  z.coerce.number('must be a number').int('must be a whole number').nonnegative('must not be negative').max(max, `must be at most ${max}`);

/**
 * The principal behind a request. Its name is what the caller says in `X-Client`: without tokens nobody can prove it.
 * @param unnamed what stands in the ledger for a caller without a name
 */
export function principalOf(request: FastifyRequest, unnamed = 'http'): Principal {
  const header = request.headers['x-client'];
  const name = typeof header === 'string' && header !== '' ? header.slice(0, limits.idChars) : undefined;
  return unrestricted(name, unnamed);
}
