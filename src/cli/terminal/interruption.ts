import { exitCodes } from '../exit-codes.ts';

type Signal = 'SIGINT' | 'SIGTERM';

/**
 * Ctrl-C and SIGTERM. A command that holds nothing ends at once; one that has something to finish takes hold, is told
 * by an AbortSignal, and ends at once with the second signal.
 */
export class Interruption {
  #received: Signal | undefined;
  #controller: AbortController | undefined;
  readonly #listener = (signal: Signal) => this.#onSignal(signal);

  constructor() {
    process.on('SIGINT', this.#listener).on('SIGTERM', this.#listener);
  }

  /** 130 or 143 once a signal came; undefined before. */
  get exitCode(): number | undefined {
    if (this.#received === undefined) return undefined;
    return this.#received === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
  }

  /** The command will end by itself when this is aborted. */
  hold(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Leaves the signals to the command altogether. */
  release(): void {
    process.off('SIGINT', this.#listener).off('SIGTERM', this.#listener);
  }

  #onSignal(signal: Signal): void {
    const isFirst = this.#received === undefined;
    this.#received ??= signal;
    if (isFirst && this.#controller !== undefined) this.#controller.abort(new Error(`stopped by ${signal}`));
    else process.exit(this.exitCode);
  }
}
