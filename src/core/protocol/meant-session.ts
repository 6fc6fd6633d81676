import type { SessionState } from './session-state.ts';

/** The fields of a listed session that tell whether a program is connected. */
export interface SessionPresence {
  orchestrator: Pick<NonNullable<SessionState['orchestrator']>, 'attached'> | null;
  /** How many connections publish to it. */
  producers: number;
}

/**
 * The session that is meant where none is named: the only live one; of several, the only one that a program is attached to
 * or that is being published to. Undefined where that cannot be told.
 */
export function meantSession<Session extends SessionPresence>(live: readonly Session[]): Session | undefined {
  if (live.length <= 1) return live[0];
  const [only, ...others] = live.filter(({ orchestrator, producers }) => orchestrator?.attached === true || producers > 0);
  return others.length === 0 ? only : undefined;
}
