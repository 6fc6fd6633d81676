import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { commandTypes } from '../../core/protocol/command.ts';
import { isWireCode, ShannonDashError } from '../../core/protocol/errors.ts';
import type { CommandState, SessionState } from '../../core/protocol/session-state.ts';
import type { JournalEvent } from '../../journal/journal.ts';
import type { CutReason } from '../sessions/backlog.ts';
import { RecentRates } from './recent-rates.ts';

/** In seconds: from what is as good as at once to what a person takes for a standstill. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A command may wait for a program, or for an hour. */
const commandBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600];

const knownCommands: ReadonlySet<unknown> = new Set(commandTypes);

/**
 * What a workspace counts and measures: for `/metrics`, `/api/stats` and `/health`. The values of each label are few and fixed: no
 * label holds a name or a text that comes from outside.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly recent = new RecentRates();
  readonly #events = this.#counter('shannon_dash_events_total', 'Events journalled');
  readonly #commits = this.#counter('shannon_dash_commits_total', 'Commits of the journal');
  readonly #commands = this.#counter('shannon_dash_commands_total', 'Commands that ended', ['type', 'status']);
  readonly #slowConsumers = this.#counter('shannon_dash_slow_consumers_total', 'Clients cut as too slow');
  readonly #cuts = this.#counter('shannon_dash_cuts_total', 'Clients cut as too slow, by the reason', ['reason']);
  readonly #refused = this.#counter('shannon_dash_refused_total', 'Requests refused, by the code of the error', ['code']);
  readonly #limits = this.#counter('shannon_dash_limits_reached_total', 'Requests refused because there were too many', ['limit']);
  readonly #refusalsLetGo = this.#counter(
    'shannon_dash_refusals_not_journalled_total',
    'Refused commands that were answered and not journalled, for there were too many',
  );
  readonly #publishSeconds = this.#histogram('shannon_dash_publish_seconds', 'From an event received to its commit and fan-out');
  readonly #deliverySeconds = this.#histogram(
    'shannon_dash_delivery_seconds',
    'From a commit to when the last of its live watchers had taken it, for each form in which watchers take it',
  );
  readonly #commandSeconds = new Histogram({
    name: 'shannon_dash_command_seconds',
    help: 'From a command accepted to when it was applied',
    labelNames: ['type'],
    buckets: commandBuckets,
    registers: [this.registry],
  });
  readonly #writeBackSeconds = this.#histogram(
    'shannon_dash_journal_write_back_seconds',
    'How long the journal took to move commits from its log to the database',
  );
  /** A number alone: it changes with each event for each watcher. */
  #sent = 0;

  constructor() {
    this.count('shannon_dash_events_sent_total', 'Live events sent to watchers: an event counts once for each watcher', () => this.#sent);
  }

  /** Adds a figure that is read each time that `/metrics` is asked for; undefined where there is none. */
  gauge(name: string, help: string, read: () => number | undefined): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => {
        const value = read();
        // prom-client spells what is no number in a way that Prometheus does not read.
        if (value === undefined) gauge.remove();
        else gauge.set(value);
      },
    });
  }

  /** Adds a count that is read each time that `/metrics` is asked for. @param read gives the count since the start */
  count(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  /** Adds a histogram of seconds. @returns what takes a time in milliseconds */
  time(name: string, help: string): (elapsedMs: number) => void {
    const histogram = this.#histogram(name, help);
    return (elapsedMs) => histogram.observe(elapsedMs / 1_000);
  }

  /** @param events how many one commit of the journal brought */
  committed(events: number): void {
    this.#events.inc(events);
    this.#commits.inc();
    this.recent.noteEvents(events);
  }

  published(elapsedMs: number): void {
    this.recent.noteLatency(elapsedMs);
    this.#publishSeconds.observe(elapsedMs / 1_000);
  }

  /** @param events how many went to one watcher */
  sent(events: number): void {
    this.#sent += events;
  }

  /** The last watcher has taken what one commit brought. */
  delivered(elapsedMs: number): void {
    this.#deliverySeconds.observe(elapsedMs / 1_000);
  }

  /** The journal has moved commits to where they stay. */
  wroteBack(elapsedMs: number): void {
    this.#writeBackSeconds.observe(elapsedMs / 1_000);
  }

  /** Counts the commands that end with these events. @param state the fold with them; undefined where it is not in memory */
  ended(events: readonly JournalEvent[], state: SessionState | undefined): void {
    for (const { type, event } of events) {
      if (!type.startsWith('command:')) continue;
      const [, status] = /^command:(applied|failed|rejected|expired|cancelled)$/.exec(type) ?? [];
      if (status === undefined) continue;
      const told = event.data['command_type'];
      // A session that was restored holds whatever its events hold.
      const label = knownCommands.has(told) ? String(told) : 'other';
      this.#commands.inc({ type: label, status });
      const command = state?.commands.findLast((each) => each.command_id === event.data['command_id']);
      if (status === 'applied' && command !== undefined) this.#commandSeconds.observe({ type: label }, secondsOf(command));
    }
  }

  /** Counts a request that was refused. */
  refused(error: unknown): void {
    const { code, limit } = error instanceof ShannonDashError && isWireCode(error.code) ? error : { code: 'INTERNAL', limit: undefined };
    this.#refused.inc({ code });
    if (code === 'LIMIT_REACHED') this.#limits.inc({ limit: limit ?? 'other' });
  }

  refusalLetGo(): void {
    this.#refusalsLetGo.inc();
  }

  slowConsumer(reason: CutReason): void {
    this.#slowConsumers.inc();
    this.#cuts.inc({ reason });
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}

/** How long a command took that has ended. Both times are of a server's clock, which may have been set back meanwhile. */
function secondsOf({ created_at, updated_at }: CommandState): number {
  return Math.max(0, Date.parse(updated_at) - Date.parse(created_at)) / 1_000;
}
