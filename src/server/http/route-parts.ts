import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { cutText } from '../../core/text/cut-text.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { Journal } from '../../journal/journal.ts';
import type { CommandLedger } from '../commands/command-ledger.ts';
import type { DecisionLinks } from '../access/decision-links.ts';
import type { EventIntake } from '../sessions/event-intake.ts';
import type { Hub } from '../sessions/hub.ts';
import type { LostSessions } from '../sessions/lost-sessions.ts';
import type { ReadBudget } from '../sessions/read-budget.ts';
import type { ServerFigures } from '../server-figures.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { SkillRegistry } from '../skills/skill-registry.ts';

/** What the routes work with. */
export interface RouteParts {
  journal: Journal;
  store: SessionStore;
  hub: Hub;
  intake: EventIntake;
  ledger: CommandLedger;
  lost: LostSessions;
  links: DecisionLinks;
  skills: SkillRegistry;
  figures: ServerFigures;
  budget: ReadBudget;
  version: string;
  connections: () => number;
  endsWhenUnused: boolean;
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

export function sessionNotFound(id: string): ShannonDashError {
  return new ShannonDashError('NOT_FOUND', `Session not found: ${cutText(id, limits.idChars)}`);
}

/** Who says it is calling, for the ledger: `X-Client` (without tokens nobody can prove it). */
export function clientName(request: FastifyRequest): string | null {
  const header = request.headers['x-client'];
  return typeof header === 'string' && header !== '' ? header.slice(0, limits.idChars) : null;
}
