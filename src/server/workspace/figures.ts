import type { JournalConcern } from '../../journal/journal.ts';
import { liveSessions } from '../sessions/live-sessions.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { isCurrent } from '../sessions/stored-session.ts';
import { watchersBySession } from '../sessions/session-summary.ts';
import { usageOfSkills } from '../sessions/usage-of-skills.ts';
import type { SkillUsage } from '../skills/skill-list.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

/** The figures of a workspace. */
export function figuresOf({ store, hub, metrics, ledger, journal, clients }: WorkspaceParts) {
  return {
    total_connections: clients.count,
    sessions: watchersBySession(store, hub),
    uptime_seconds: metrics.recent.uptimeSeconds,
    events_total: metrics.recent.eventsTotal,
    events_per_second: metrics.recent.eventsPerSecond,
    publish: metrics.recent.latency(),
    orchestrators: ledger.orchestrators,
    servers: journal.servers().size,
    journal: { location: journal.location, size_bytes: journal.sizeBytes() },
  };
}

/** The same as Prometheus reads them. */
export async function metricsOf({ metrics: { registry } }: WorkspaceParts): Promise<{ contentType: string; text: string }> {
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** How a workspace is, as far as somebody may see it. */
export interface Health {
  /** Whether what is published can be journalled now. */
  isWritable: boolean;
  /** What is not well: sentences, which may name files. */
  degraded: { code: JournalConcern['code'] | 'journal_not_writable'; reason: string }[];
  /** Those that have neither ended nor are lost, of the sessions that this server follows. */
  active_sessions: number;
  connected_clients: number;
  /** That work with the journal now. */
  servers: number;
  uptime_seconds: number;
}

export function healthOf({ journal, store, metrics, clients }: WorkspaceParts, reaches: (sessionId: string) => boolean): Health {
  const written = journal.health();
  return {
    isWritable: written.isWritable,
    degraded: [
      ...(written.isWritable
        ? []
        : [{ code: 'journal_not_writable' as const, reason: `The journal cannot be written: ${written.reason}` }]),
      ...journal.vitals().concerns,
    ],
    active_sessions: liveSessions(store, (sessionId) => reaches(sessionId) && isFollowed(store, sessionId)).length,
    connected_clients: clients.count,
    servers: journal.servers().size,
    uptime_seconds: metrics.recent.uptimeSeconds,
  };
}

function isFollowed(store: SessionStore, sessionId: string): boolean {
  const session = store.get(sessionId);
  return session !== undefined && isCurrent(session);
}

/** The use of each skill, summed up over the sessions that count. */
export async function skillUsageOf(
  { skills, ledger, store }: WorkspaceParts,
  counts: (sessionId: string) => boolean,
): Promise<ReadonlyMap<string, SkillUsage>> {
  await Promise.all([skills.ready, ledger.ready()]);
  return usageOfSkills(store, counts);
}
