import type { Logger } from 'pino';

/** What happens more often than once in this time is told once, with a count. */
const quietMs = 1_000;

/**
 * A log for what somebody outside can make happen as often as they like: of each kind the first is told at once, the rest
 * of that second in one line with their number. Kinds are few and fixed, never a text from outside.
 */
export class CountedLog {
  readonly #log: Logger;
  readonly #since = new Map<string, { count: number; last: () => void }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Warns of one more of this kind. */
  warn(kind: string, fields: object, sentence: string): void {
    const running = this.#since.get(kind);
    if (running !== undefined) {
      running.count++;
      running.last = () => this.#log.warn({ ...fields, count: running.count }, `${sentence} (${running.count} more within a second)`);
      return;
    }
    this.#log.warn(fields, sentence);
    const begun = { count: 0, last: () => undefined };
    this.#since.set(kind, begun);
    setTimeout(() => {
      this.#since.delete(kind);
      begun.last();
    }, quietMs).unref();
  }
}
