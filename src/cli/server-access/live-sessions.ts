import type { ListedSession } from '../../core/http-answers.ts';
import { meantSession } from '../../core/protocol/meant-session.ts';
import { isLive } from '../../core/protocol/session-state.ts';
import { request } from './server-request.ts';
import { readEnvironment } from '../../client/environment.ts';
import { ambiguousSession, noSession, tooManySessions, unknownSession } from '../failure.ts';
import { nearest } from '../../core/text/nearest.ts';
import type { Settings } from '../settings/settings.ts';

/** Every session that the server knows. */
export async function listSessions(settings: Settings): Promise<ListedSession[]> {
  return (await request(settings, 'sessions', {})).sessions;
}

/**
 * The session that a name stands for, which is its own or the beginning of only one. Nothing creates it: for commands that look at
 * sessions or steer them.
 * @throws Failure there is none, or there are several
 */
export async function existingSession(settings: Settings, name: string): Promise<string> {
  const { sessions } = await request(settings, 'sessions', { query: { prefix: name } });
  const ids = sessions.map(({ session_id }) => session_id);
  if (ids.length === 1 || ids.includes(name)) return ids.length === 1 ? (ids[0] ?? name) : name;
  if (ids.length > 1) throw ambiguousSession(name, ids);
  const all = (await listSessions(settings)).toSorted(byChange).map(({ session_id }) => session_id);
  throw unknownSession(name, nearest(name, all));
}

/**
 * The same, or where none is named the one that `chooseSession` takes.
 * @throws Failure as both
 */
export async function lookedAtSession(settings: Settings, options: { orLatest?: boolean } = {}): Promise<string> {
  const { session } = settings;
  // The name that a run gives its program is whole.
  const isWhole = session === undefined || session === readEnvironment().session;
  return isWhole ? chooseSession(settings, options) : existingSession(settings, session);
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
  const latest = sessions.toSorted(byChange)[0];
  const chosen = meant ?? (orLatest ? latest : undefined);
  if (chosen === undefined) throw noSession(latest);
  return chosen.session_id;
}

/** Those that changed last first. */
export function byChange(one: ListedSession, other: ListedSession): number {
  return one.updated_at < other.updated_at ? 1 : one.updated_at > other.updated_at ? -1 : 0;
}
