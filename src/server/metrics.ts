import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JournalEvent } from '../journal/journal.ts';

const windowSeconds = 10;
const samples = 1_024;

/** What a workspace counts and measures: for `/metrics`, `/api/stats` and `/health`. */
export class Metrics {
  readonly registry = new Registry();
  /** By the monotonic clock. */
  readonly #startedAt = performance.now();
  readonly #events = new Counter({ name: 'shannon_dash_events_total', help: 'Events journalled', registers: [this.registry] });
  readonly #commits = new Counter({ name: 'shannon_dash_commits_total', help: 'Commits of the journal', registers: [this.registry] });
  readonly #commands = new Counter({
    name: 'shannon_dash_commands_total',
    help: 'Commands that ended',
    labelNames: ['type', 'status'],
    registers: [this.registry],
  });
  readonly #slowConsumers = new Counter({
    name: 'shannon_dash_slow_consumers_total',
    help: 'Clients cut as too slow',
    registers: [this.registry],
  });
  readonly #refusalsLetGo = new Counter({
    name: 'shannon_dash_refusals_not_journalled_total',
    help: 'Refused commands that were answered and not journalled, for there were too many',
    registers: [this.registry],
  });
  readonly #publishSeconds = new Histogram({
    name: 'shannon_dash_publish_seconds',
    help: 'From an event received to its fan-out',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly #perSecond = new Float64Array(windowSeconds);
  readonly #recentMs = new Float64Array(samples);
  #second = 0;
  #measured = 0;
  #eventsTotal = 0;

  /** Adds a figure that is read each time that `/metrics` is asked for. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.registry], collect: () => gauge.set(read()) });
  }

  /** @param events how many one commit of the journal brought */
  committed(events: number): void {
    this.#eventsTotal += events;
    this.#events.inc(events);
    this.#commits.inc();
    this.#turn();
    const at = this.#second % windowSeconds;
    this.#perSecond[at] = (this.#perSecond[at] ?? 0) + events;
  }

  published(elapsedMs: number): void {
    this.#recentMs[this.#measured++ % samples] = elapsedMs;
    this.#publishSeconds.observe(elapsedMs / 1_000);
  }

  /** Counts the commands that end with these events. */
  ended(events: readonly JournalEvent[]): void {
    for (const { type, event } of events) {
      if (!type.startsWith('command:')) continue;
      const [, status] = /^command:(applied|failed|rejected|expired)$/.exec(type) ?? [];
      if (status !== undefined) this.#commands.inc({ type: String(event.data['command_type']), status });
    }
  }

  refusalLetGo(): void {
    this.#refusalsLetGo.inc();
  }

  slowConsumer(): void {
    this.#slowConsumers.inc();
  }

  get uptimeSeconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 100) / 10;
  }

  get eventsTotal(): number {
    return this.#eventsTotal;
  }

  /** Mean over the last ten seconds, or since the start. */
  get eventsPerSecond(): number {
    this.#turn();
    const sum = this.#perSecond.reduce((total, each) => total + each, 0);
    return Math.round((sum / Math.min(windowSeconds, Math.max(1, this.uptimeSeconds))) * 10) / 10;
  }

  /** Milliseconds from an event received to its fan-out, over the last 1,024 publishes; null before the first. */
  latency(): { p50_ms: number | null; p99_ms: number | null } {
    const sorted = this.#recentMs.slice(0, Math.min(this.#measured, samples)).sort();
    const at = (share: number) =>
      sorted.length === 0 ? null : Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 1_000) / 1_000;
    return { p50_ms: at(0.5), p99_ms: at(0.99) };
  }

  /** Sets the seconds that have passed since the last call to zero. */
  #turn(): void {
    const second = Math.floor(performance.now() / 1_000);
    for (let each = Math.max(this.#second + 1, second - windowSeconds + 1); each <= second; each++)
      this.#perSecond[each % windowSeconds] = 0;
    this.#second = second;
  }
}
