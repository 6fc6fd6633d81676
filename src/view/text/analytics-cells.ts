import type { AnalyticsRow } from '../../core/rollup/analytics-api.ts';
import { count, finishedDuration, shortCount } from './numbers.ts';

/** What stands above the figures of a row. */
export const analyticsHeads: readonly string[] = [
  'RUNS',
  'FAILED',
  'P50',
  'P95',
  'WORKED',
  'HALTED',
  'WAITED',
  'DECISIONS',
  'TOKENS',
  'COST',
];

/** The figures of a row: runs, how long they took, where the time went, what was used. */
export function analyticsCells(row: Omit<AnalyticsRow, 'key'>): { text: string; tone?: 'plain' | 'bad' }[] {
  const { completed, failed, lost, failure_rate: rate } = row;
  const ended = completed + failed + lost;
  return [
    { text: count(Math.max(row.started, ended)) },
    rate === null
      ? { text: '-' }
      : { text: `${count(failed + lost)} (${Math.round(rate * 100)}%)`, tone: failed + lost > 0 ? 'bad' : 'plain' },
    { text: timeText(row.duration_p50_ms) },
    { text: timeText(row.duration_p95_ms) },
    { text: timeText(row.working_ms) },
    { text: timeText(row.halted_ms) },
    { text: timeText(row.waiting_ms) },
    { text: row.decisions === 0 ? '-' : count(row.decisions) },
    { text: shortCount(row.input_tokens + row.output_tokens) },
    { text: row.cost_usd === 0 ? '-' : `$${row.cost_usd.toFixed(2)}` },
  ];
}

/** A length of time; `-` where there is none. */
export function timeText(ms: number | null): string {
  return ms === null || ms === 0 ? '-' : finishedDuration(ms);
}
