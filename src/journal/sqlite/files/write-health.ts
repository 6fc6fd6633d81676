import type { JournalHealth } from '../../journal.ts';

/** How often a journal that cannot be written is tried, and at most is told of again. */
const tryAgainMs = 1_000;
/** How often the files are looked at while nothing is written. */
const lookMs = 1_000;

/** Whether writes succeed, by what came of the last one; while they do not, by trying again. */
export class WriteHealth {
  readonly #tryToWrite: () => void;
  readonly #tell: (sentence: string) => void;
  #failure: string | undefined;
  #refused = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  readonly #looking: ReturnType<typeof setInterval>;

  /** @param tryToWrite throws if nothing can be written @param check throws what keeps it from being written, without a try */
  constructor(tryToWrite: () => void, check: () => void, tell: (sentence: string) => void) {
    this.#tryToWrite = tryToWrite;
    this.#tell = tell;
    this.#looking = setInterval(() => this.#look(check), lookMs);
    this.#looking.unref();
  }

  /** While writes fail each one is tried on the side first, so that what is refused and what is not is one and the same. @throws why not */
  require(): void {
    if (this.#failure !== undefined) this.#tryToWrite();
  }

  /** A write succeeded. */
  succeeded(): void {
    if (this.#failure === undefined) return;
    this.#tell(`The journal can be written again${this.#counted()}`);
    this.#failure = undefined;
    clearTimeout(this.#again);
    this.#again = undefined;
  }

  /** Writes failed. Told at once, and then once a second with their number. */
  failed(reason: string, writes = 0): void {
    if (this.#failure === undefined) this.#tell(`The journal cannot be written: ${reason}; what is published is refused until it can`);
    this.#failure = reason;
    this.#refused += writes;
    this.#again ??= setTimeout(() => this.#lookAgain(), tryAgainMs).unref();
  }

  /** Tries to write: what was true a moment ago is no answer. */
  now(): JournalHealth {
    this.#try();
    return this.#failure === undefined ? { isWritable: true } : { isWritable: false, reason: this.#failure };
  }

  close(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#again);
  }

  #look(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.failed(error instanceof Error ? error.message : String(error));
    }
  }

  #lookAgain(): void {
    this.#again = undefined;
    this.#try();
    if (this.#failure === undefined || this.#refused === 0) return;
    this.#tell(`The journal cannot be written: ${this.#failure}${this.#counted()}`);
  }

  #try(): void {
    try {
      this.#tryToWrite();
      this.succeeded();
    } catch (error) {
      this.failed(error instanceof Error ? error.message : String(error));
    }
  }

  #counted(): string {
    const refused = this.#refused;
    this.#refused = 0;
    return refused === 0 ? '' : `; ${refused} writes were refused since the last line`;
  }
}
