import { isLive, type SessionState } from '../core/session-state.ts';
import { fetchJson } from './connecting.ts';
import { noSession, tooManySessions } from './failure.ts';
import type { Settings } from './settings.ts';

/** A session as `GET /api/sessions` lists it. */
export interface ListedSession extends Pick<
  SessionState,
  'session_id' | 'created_at' | 'updated_at' | 'status' | 'current_skill' | 'progress' | 'seq' | 'orchestrator'
> {
  watchers: number;
  open_decisions: number;
}

/** Every session that the server knows. */
export async function listSessions(settings: Settings): Promise<ListedSession[]> {
  return (await fetchJson<{ sessions: ListedSession[] }>(settings, 'api/sessions')).sessions;
}

/**
 * The session that was named, or else the only live one.
 * @throws Failure none is live, or several are
 */
export async function chooseSession(settings: Settings): Promise<string> {
  if (settings.session !== undefined) return settings.session;
  const live = (await listSessions(settings)).filter(({ status }) => isLive(status));
  const [only] = live;
  if (only === undefined) throw noSession();
  if (live.length > 1) throw tooManySessions(live.map((each) => each.session_id));
  return only.session_id;
}
