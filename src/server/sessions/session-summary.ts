import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Hub } from './watching/hub.ts';
import type { LostSessions } from './lost-sessions.ts';
import type { SessionBrief } from './session-brief.ts';
import type { SessionStore } from './session-store.ts';
import { brief, type StoredSession } from './stored-session.ts';

/** A session as lists show it. */
export type SessionSummary = Pick<SessionState, 'session_id' | 'created_at' | 'seq'> &
  Omit<SessionBrief, 'skill_usage'> & { watchers: number; producers: number };

/** The row of a session in a list. */
export function summaryOf(session: StoredSession, { hub, lost }: { hub: Hub; lost: LostSessions }): SessionSummary {
  const { skill_usage: _, ...listed } = brief(session);
  const { session_id, created_at, seq } = session.head;
  return {
    session_id,
    created_at,
    seq,
    ...listed,
    watchers: hub.watchers(session_id),
    producers: lost.producersOf(session_id),
  };
}

/** How many connections watch each session by its name: every session, and those that do not exist yet. */
export function watchersBySession(store: SessionStore, hub: Hub): Record<string, number> {
  const ids = new Set([...store.all()].map(({ head }) => head.session_id));
  for (const id of hub.watchedSessions()) ids.add(id);
  return Object.fromEntries([...ids].map((id) => [id, hub.watchers(id)]));
}
