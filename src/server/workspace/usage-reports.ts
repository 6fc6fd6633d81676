import type { ToldUsage } from '../../adapters/otel/told-usage.ts';
import { countsUsage } from '../../core/fold/fold-usage.ts';
import { errorRow, ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { SessionStore } from '../sessions/session-store.ts';

/** What was not taken: how many reports, and why the first of them. */
export interface RefusedReports {
  count: number;
  reason: string;
}

/**
 * Publishes what telemetry says of the usage of sessions. What was told before, by a request that is sent again or in another signal, is
 * left out. A session that takes none, or that the caller may not reach, does not keep the others from theirs.
 * @throws ShannonDashError what can be tried again
 */
export async function publishUsage(
  store: SessionStore,
  usage: readonly ToldUsage[],
  publish: (request: { session_id: string; events: unknown[] }) => Promise<unknown>,
): Promise<RefusedReports | undefined> {
  const refused = { count: 0, reason: '' };
  for (const [session_id, reports] of Map.groupBy(usage, ({ session }) => session)) {
    const state = await store.load(session_id);
    const counted = reports.filter(({ data }) => state === undefined || countsUsage(state, data));
    const events = counted.map(({ id, timestamp, data }) => ({ type: 'usage:reported', id, timestamp, data }));
    try {
      for (let at = 0; at < events.length; at += limits.publishEvents) {
        await publish({ session_id, events: events.slice(at, at + limits.publishEvents) });
      }
    } catch (error) {
      if (!(error instanceof ShannonDashError) || errorRow(error.code)?.retryable !== false) throw error;
      refused.count += events.length;
      refused.reason ||= error.message;
    }
  }
  return refused.count === 0 ? undefined : refused;
}
