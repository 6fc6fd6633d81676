import type { CommandType } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { meantSession } from '../../core/protocol/meant-session.ts';
import { isLive } from '../../core/protocol/session-state.ts';
import type { SessionStore } from './session-store.ts';
import { brief } from './stored-session.ts';

/** The sessions that have neither ended nor are lost, of those that the caller may reach. */
export function liveSessions(store: SessionStore, mayReach: (sessionId: string) => boolean = () => true): string[] {
  const live = [...store.all()].filter((session) => isLive(brief(session).status)).map((session) => session.head.session_id);
  return live.filter(mayReach);
}

/**
 * The session that a command without one is meant for.
 * @throws ShannonDashError INVALID no session is live, or more than one could be meant
 */
export function onlyLiveSession(
  store: SessionStore,
  type: CommandType,
  { producersOf, mayReach }: { producersOf: (sessionId: string) => number; mayReach: (sessionId: string) => boolean },
): string {
  const live = liveSessions(store, mayReach);
  const present = live.map((id) => {
    const session = store.get(id);
    return { id, orchestrator: session === undefined ? null : brief(session).orchestrator, producers: producersOf(id) };
  });
  const meant = meantSession(present);
  if (meant !== undefined) return meant.id;
  if (live.length === 0) throw new ShannonDashError('INVALID', `session_id is required for ${type.toLowerCase()}`);
  const names = live.length > 20 ? `${live.slice(0, 20).join(', ')}, ...` : live.join(', ');
  throw new ShannonDashError('INVALID', `session_id is required: ${live.length} sessions are live (${names})`, {
    sessions: live.slice(0, 100),
  });
}
