import { byFinalStatus, finalStatuses } from '../../core/protocol/command-status.ts';
import { LengthSums } from '../../core/rollup/lengths.ts';
import type { AnalyticsRow } from '../../core/rollup/analytics-api.ts';
import type { DayRollup, Ends, Used } from '../../core/rollup/rollup.ts';

/** What ended, summed up: runs, or uses of a skill. */
export class EndTally {
  completed = 0;
  failed = 0;
  readonly #lengths = new LengthSums();

  addEnds({ completed, failed, lengths }: Ends): void {
    this.completed += completed;
    this.failed += failed;
    this.#lengths.add(lengths);
  }

  /** @param lost those that ended in no other way */
  ends(lost = 0): Pick<AnalyticsRow, 'completed' | 'failed' | 'failure_rate' | 'duration_p50_ms' | 'duration_p95_ms'> {
    const { completed, failed } = this;
    const ended = completed + failed + lost;
    return {
      completed,
      failed,
      failure_rate: ended === 0 ? null : Math.round(((failed + lost) / ended) * 10_000) / 10_000,
      duration_p50_ms: this.#lengths.quantile(0.5),
      duration_p95_ms: this.#lengths.quantile(0.95),
    };
  }
}

/** Everything that a row of analytics tells, summed up. */
export class Tally extends EndTally {
  #sessions = 0;
  #lastSession = '';
  #started = 0;
  #lost = 0;
  readonly #time = { working_ms: 0, halted_ms: 0, waiting_ms: 0 };
  #decisions = 0;
  readonly #decisionLengths = new LengthSums();
  readonly #commands = byFinalStatus(() => 0);
  readonly #used: Used = { input_tokens: 0, output_tokens: 0, cost_usd: 0 };

  /** Counts a session once, however many of its days are added one after the other. */
  addSession(sessionId: string): this {
    if (this.#sessions === 0 || this.#lastSession !== sessionId) this.#sessions++;
    this.#lastSession = sessionId;
    return this;
  }

  /** What happened on a day, but for what was used. */
  addDay(day: DayRollup): void {
    this.addEnds(day);
    this.#started += day.started;
    for (const field of ['working_ms', 'halted_ms', 'waiting_ms'] as const) this.#time[field] += day[field];
    this.#decisions += day.decisions;
    this.#decisionLengths.add(day.decision_lengths);
    for (const command of day.commands) for (const outcome of finalStatuses) this.#commands[outcome] += command[outcome];
  }

  addUsed(used: Used): void {
    for (const field of ['input_tokens', 'output_tokens', 'cost_usd'] as const) this.#used[field] += used[field];
  }

  addLost(): void {
    this.#lost++;
  }

  figures(): Omit<AnalyticsRow, 'key'> {
    const { applied, failed, rejected, expired, cancelled } = this.#commands;
    return {
      sessions: this.#sessions,
      started: this.#started,
      lost: this.#lost,
      ...this.ends(this.#lost),
      ...this.#time,
      decisions: this.#decisions,
      decision_p50_ms: this.#decisionLengths.quantile(0.5),
      decision_p95_ms: this.#decisionLengths.quantile(0.95),
      commands_applied: applied,
      commands_failed: failed,
      commands_rejected: rejected,
      commands_expired: expired,
      commands_cancelled: cancelled,
      ...this.#used,
    };
  }
}
