import { ShannonDashError } from '../core/errors.ts';
import type { NewEvent } from './journal.ts';

/** One append that waits for the next commit. */
export interface PendingAppend<Result> {
  sessionId: string;
  events: readonly NewEvent[];
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Groups appends by time: what arrives in one turn of the event loop, or while a commit is under way, is committed
 * together. One transaction, one fan-out.
 */
export class AppendQueue<Result> {
  readonly #commit: (group: PendingAppend<Result>[]) => void;
  #waiting: PendingAppend<Result>[] = [];
  #scheduled = false;
  #closed = false;

  /** @param commit settles every append of the group; must not throw */
  constructor(commit: (group: PendingAppend<Result>[]) => void) {
    this.#commit = commit;
  }

  push(sessionId: string, events: readonly NewEvent[]): Promise<Result> {
    if (this.#closed) return Promise.reject(new ShannonDashError('UNAVAILABLE', 'The journal is closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sessionId, events, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** Commits at once what is waiting. */
  flush(): void {
    this.#scheduled = false;
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length > 0) this.#commit(group);
  }

  close(): void {
    this.flush();
    this.#closed = true;
  }
}
