import { ShannonDashError } from '../core/protocol/errors.ts';
import type { AppendOptions, NewEvent } from './journal.ts';

/** One append that waits for the next commit. */
export interface PendingAppend<Result> {
  sessionId: string;
  events: readonly NewEvent[];
  options: AppendOptions;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** A group of so many appends says that a burst is under way: the next one may gather for so long, unless somebody waits for it. */
const burstAppends = 8;
const gatherMs = 2;

/**
 * Groups appends by time: what arrives in one turn of the event loop is committed together, in one transaction with one
 * fan-out; while a commit is under way, the turn's messages wait in the sockets and make the next group. In a burst of
 * appends that nobody waits for, a group gathers what arrives in about two milliseconds.
 */
export class AppendQueue<Result> {
  readonly #commit: (group: PendingAppend<Result>[]) => void;
  #waiting: PendingAppend<Result>[] = [];
  #scheduled: { cancel: () => void; isGathering: boolean } | undefined;
  #isBurst = false;
  #committedAt = 0;
  #isClosed = false;

  /** @param commit settles every append of the group; must not throw */
  constructor(commit: (group: PendingAppend<Result>[]) => void) {
    this.#commit = commit;
  }

  /** With a low latency commits at once, with everything that waits before it. */
  push(sessionId: string, events: readonly NewEvent[], options: AppendOptions = {}): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new ShannonDashError('UNAVAILABLE', 'The journal is closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sessionId, events, options, resolve, reject });
      if (options.latency === 'low' || options.latency === 'lowest') this.flush();
      else this.#schedule(options.latency === 'relaxed');
    });
  }

  /** Commits what is waiting now. */
  flush(): void {
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    this.#isBurst = group.length >= burstAppends;
    this.#committedAt = performance.now();
    this.#commit(group);
  }

  /** Commits what is waiting; what a listener appends to that is refused already. */
  close(): void {
    this.#isClosed = true;
    this.flush();
  }

  #schedule(mayGather: boolean): void {
    if (this.#scheduled !== undefined && (mayGather || !this.#scheduled.isGathering)) return;
    this.#scheduled?.cancel();
    if (mayGather && this.#isBurst && performance.now() - this.#committedAt < gatherMs) {
      const timer = setTimeout(() => this.flush(), gatherMs);
      this.#scheduled = { cancel: () => clearTimeout(timer), isGathering: true };
    } else {
      const immediate = setImmediate(() => this.flush());
      this.#scheduled = { cancel: () => clearImmediate(immediate), isGathering: false };
    }
  }
}
