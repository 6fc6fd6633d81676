import { matchesGlob } from '../../core/event-filter.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { Principal, Role } from './principal.ts';

const everyRole: readonly Role[] = ['operator'];

/** Which roles may use which verb. Each method of `WorkspaceAccess` asks for one of these verbs by its name. */
const table = {
  health: everyRole,
  sessions: everyRole,
  state: everyRole,
  history: everyRole,
  watch: everyRole,
  watchAll: everyRole,
  create: everyRole,
  delete: everyRole,
  publish: everyRole,
  command: everyRole,
  ledger: everyRole,
  attach: everyRole,
  update: everyRole,
  decision: everyRole,
  answerLink: everyRole,
  skills: everyRole,
  stats: everyRole,
  metrics: everyRole,
} as const satisfies Record<string, readonly Role[]>;

/** What can be asked of a workspace. */
export type Verb = keyof typeof table;

/** Whether a role may use a verb. */
export function may(role: Role, verb: Verb): boolean {
  return table[verb].includes(role);
}

/** Whether the globs of a principal let it reach a session. */
export function mayReach({ sessions }: Principal, sessionId: string): boolean {
  return sessions.some((glob) => glob === '*' || matchesGlob(glob, sessionId));
}

/** @throws ShannonDashError FORBIDDEN the role of the principal does not have the verb, or its globs do not match the session */
export function checkAccess(principal: Principal, verb: Verb, sessionId?: string): void {
  if (!may(principal.role, verb)) {
    throw new ShannonDashError('FORBIDDEN', `The role ${principal.role} may not use "${verb}"; ask for a role that may`);
  }
  if (sessionId !== undefined && !mayReach(principal, sessionId)) {
    throw new ShannonDashError('FORBIDDEN', `Session ${sessionId} is not among the sessions that you may reach`);
  }
}
