import type { ListedSession } from '../../../core/http-answers.ts';
import { maskPasswords } from '../../../core/text/mask-passwords.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { isLive } from '../../../core/protocol/session-state.ts';
import { count, duration } from '../../../view/text/numbers.ts';
import { byChange, listSessions } from '../../server-access/live-sessions.ts';
import { request, serverNowMs } from '../../server-access/server-request.ts';
import type { Output } from '../../terminal/output.ts';
import { sessionTable } from '../../terminal/session-table.ts';
import type { Settings } from '../../settings/settings.ts';

/** The document that `stats --json` prints. */
export interface ServerStats {
  url: string;
  server_version: string;
  uptime_ms: number;
  clients: number;
  orchestrators: number;
  /** How many share the journal. Clients, orchestrators and events are those of the one that answers. */
  servers: number;
  events_total: number;
  events_per_second: number;
  publish_p50_ms: number | null;
  publish_p99_ms: number | null;
  journal: string;
  journal_bytes: number;
  sessions: ListedSession[];
  timestamp?: string | undefined;
}

/** Asks the server for its figures and its sessions. */
export async function readStats(settings: Settings): Promise<ServerStats> {
  const [wire, sessions] = await Promise.all([request(settings, 'stats', {}), listSessions(settings)]);
  return {
    url: maskPasswords(settings.url),
    server_version: wire.version,
    uptime_ms: Math.round(wire.uptime_seconds * 1_000),
    clients: wire.total_connections,
    orchestrators: wire.orchestrators,
    servers: wire.servers ?? 1,
    events_total: wire.events_total,
    events_per_second: wire.events_per_second,
    publish_p50_ms: wire.publish.p50_ms,
    publish_p99_ms: wire.publish.p99_ms,
    journal: wire.journal.location ?? "on the server's machine",
    journal_bytes: wire.journal.size_bytes,
    sessions: sessions.toSorted(byChange),
    timestamp: wire.timestamp,
  };
}

/** The same for people: the figures, then at most so many live sessions, or the last ones where none is live. */
export async function statsLines(stats: ServerStats, output: Output, maxSessions: number): Promise<string[]> {
  const live = stats.sessions.filter(({ status }) => isLive(status));
  const shown = (live.length === 0 ? stats.sessions : live).slice(0, maxSessions);
  const time = (ms: number | null) => (ms === null ? '-' : `${ms} ms`);
  return [
    `${safeLine(stats.url)}  shannon-dash ${safeLine(stats.server_version, 40)}, up ${duration(stats.uptime_ms)}`,
    `clients ${stats.clients}, programs ${stats.orchestrators}, sessions ${count(stats.sessions.length)} (${count(live.length)} live)`,
    `events ${stats.events_per_second}/s, ${count(stats.events_total)} since the start; publish p50 ${time(stats.publish_p50_ms)}, p99 ${time(stats.publish_p99_ms)}`,
    `journal ${safeLine(stats.journal)}, ${shownBytes(stats.journal_bytes)}`,
    ...(stats.servers > 1
      ? [`shared by ${count(stats.servers)} servers: clients, programs, events and watchers are those of this one`]
      : []),
    ...(shown.length === 0 ? [] : ['', ...(await sessionTable(shown, serverNowMs(stats), output))]),
  ];
}

function shownBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1_024 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}
