import type { ListedSession } from '../../core/http-answers.ts';
import { meantSession } from '../../core/protocol/meant-session.ts';
import { isLive } from '../../core/protocol/session-state.ts';
import { request } from './server-request.ts';
import { noSession, tooManySessions } from '../failure.ts';
import type { Settings } from '../settings/settings.ts';

/** Every session that the server knows. */
export async function listSessions(settings: Settings): Promise<ListedSession[]> {
  return (await request(settings, 'sessions', {})).sessions;
}

/**
 * The session that was named, or else the only live one; of several, the only one that a program is there for.
 * @param options orLatest: where none is live, the one that changed last, for commands that only look
 * @throws Failure none is live, or several are
 */
export async function chooseSession(settings: Settings, { orLatest = false }: { orLatest?: boolean } = {}): Promise<string> {
  if (settings.session !== undefined) return settings.session;
  const sessions = await listSessions(settings);
  const live = sessions.filter(({ status }) => isLive(status));
  const meant = meantSession(live);
  if (meant === undefined && live.length > 0) throw tooManySessions(live.map((each) => each.session_id));
  const chosen = meant ?? (orLatest ? sessions.toSorted(byChange)[0] : undefined);
  if (chosen === undefined) throw noSession();
  return chosen.session_id;
}

/** Those that changed last first. */
export function byChange(one: ListedSession, other: ListedSession): number {
  return one.updated_at < other.updated_at ? 1 : one.updated_at > other.updated_at ? -1 : 0;
}
