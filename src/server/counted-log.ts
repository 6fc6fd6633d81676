import type { ServerLog } from './server-log.ts';

/** Warnings of one kind within this time become one line with their number. */
const quietMs = 1_000;

/**
 * A log for warnings that a client can cause as often as it likes. The first warning of a kind is written at once. The
 * others of that second are written as one line with their number. Kinds are few and fixed; a kind never holds a text of a client.
 */
export class CountedLog {
  readonly #log: ServerLog;
  readonly #since = new Map<string, { count: number; last: () => void }>();

  constructor(log: ServerLog) {
    this.#log = log;
  }

  /** Writes or counts one warning of this kind. */
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
