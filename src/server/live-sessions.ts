import type { CommandType } from '../core/command.ts';
import { ShannonDashError } from '../core/errors.ts';
import { isLive } from '../core/session-state.ts';
import { brief, type SessionStore } from './session-store.ts';

/** The sessions that have not ended. */
export function liveSessions(store: SessionStore): string[] {
  return [...store.all()].filter((session) => isLive(brief(session).status)).map((session) => session.head.session_id);
}

/** The session that a command without one is meant for. @throws ShannonDashError INVALID it cannot be told */
export function onlyLiveSession(store: SessionStore, type: CommandType): string {
  const live = liveSessions(store);
  const [only] = live;
  if (live.length === 1 && only !== undefined) return only;
  if (live.length === 0) throw new ShannonDashError('INVALID', `session_id is required for ${type.toLowerCase()}`);
  const names = live.length > 20 ? `${live.slice(0, 20).join(', ')}, ...` : live.join(', ');
  throw new ShannonDashError('INVALID', `session_id is required: ${live.length} sessions are live (${names})`, {
    sessions: live.slice(0, 100),
  });
}
