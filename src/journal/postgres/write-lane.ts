import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { PendingAppend } from '../append-queue.ts';
import type { AppendResult } from '../journal.ts';

/** So many events wait for the database at most, and so many characters of JSON; what comes beyond is refused. */
const [mostWaitingEvents, mostWaitingChars] = [100_000, 64 * 1024 * 1024];
/** While fewer events wait nobody measures them. */
const unmeasuredEvents = 64;
/** A commit takes so many events at most. */
const commitEvents = 2_000;
/**
 * After somebody's decision was overtaken by events of its session, others wait so long for it to be taken again. Without that, a
 * producer that never pauses would overtake it for ever.
 */
const yieldMs = 20;

/** Takes appends into a commit, as many as there is room for from the first on. Gives how many, and which sessions' were overtaken. */
export type CommitAppends = (appends: readonly PendingAppend<AppendResult>[]) => Promise<{ taken: number; overtaken: readonly string[] }>;

type Work = PendingAppend<AppendResult> | { alone: () => Promise<void> };

/** Does one thing after the other: appends that wait go into one commit; whatever else is to be written has one of its own. */
export class WriteLane {
  readonly #commit: CommitAppends;
  #waiting: Work[] = [];
  #waitingEvents = 0;
  #waitingChars = 0;
  readonly #chars = new WeakMap<Work, number>();
  /** Until when plain appends to a session wait, by the monotonic clock. */
  readonly #yielding = new Map<string, number>();
  #isBusy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(commit: CommitAppends) {
    this.#commit = commit;
  }

  push(group: readonly PendingAppend<AppendResult>[]): void {
    for (const pending of group) {
      const isBacklog = this.#waitingEvents > unmeasuredEvents;
      // What is no JSON is refused by the commit.
      const chars = isBacklog ? charsOf(pending.events) : 0;
      if (this.#waitingEvents + pending.events.length > mostWaitingEvents || this.#waitingChars + chars > mostWaitingChars) {
        const sentence = `${this.#waitingEvents} events wait for the database of the journal already; send it again in a moment`;
        pending.reject(new ShannonDashError('UNAVAILABLE', sentence));
        continue;
      }
      this.#waitingEvents += pending.events.length;
      this.#waitingChars += chars;
      this.#chars.set(pending, chars);
      this.#waiting.push(pending);
    }
    this.#start();
  }

  /** Runs something behind everything that was pushed before, and before what comes later. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ alone: () => work().then(resolve, reject) });
      this.#start();
    });
  }

  /** Resolves once nothing waits. */
  idle(): Promise<void> {
    if (!this.#isBusy && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #start(): void {
    if (this.#isBusy) return;
    clearTimeout(this.#timer);
    this.#isBusy = true;
    void this.#work().finally(() => {
      this.#isBusy = false;
      if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#start(), yieldMs);
      else for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      if ('alone' in first) {
        this.#waiting.shift();
        await first.alone();
        continue;
      }
      const chosen = this.#choose();
      // Only those are left that wait for somebody's decision.
      if (chosen.length === 0) return;
      const { taken, overtaken } = await this.#commit(chosen);
      const done = new Set<Work>(chosen.slice(0, taken));
      this.#waiting = this.#waiting.filter((work) => !done.has(work));
      for (const pending of chosen.slice(0, taken)) {
        const { sessionId, events, options } = pending;
        this.#waitingEvents -= events.length;
        this.#waitingChars -= this.#chars.get(pending) ?? 0;
        if (options.expectedSeq !== undefined) this.#yielding.delete(sessionId);
      }
      for (const sessionId of overtaken) this.#yielding.set(sessionId, performance.now() + yieldMs);
    }
  }

  #choose(): PendingAppend<AppendResult>[] {
    const nowMs = performance.now();
    for (const [sessionId, untilMs] of this.#yielding) if (untilMs <= nowMs) this.#yielding.delete(sessionId);
    const chosen: PendingAppend<AppendResult>[] = [];
    let events = 0;
    for (const work of this.#waiting) {
      if ('alone' in work || (chosen.length > 0 && events + work.events.length > commitEvents)) break;
      if (work.options.expectedSeq === undefined && this.#yielding.has(work.sessionId)) continue;
      chosen.push(work);
      events += work.events.length;
    }
    return chosen;
  }
}

function charsOf(events: PendingAppend<AppendResult>['events']): number {
  try {
    return JSON.stringify(events).length;
  } catch {
    return 0;
  }
}
