import { ShannonDashError } from '../../core/protocol/errors.ts';
import { waitMsAfter } from './backoff.ts';
import { asShannonDashError, isRetryable } from './connect-failure.ts';
import type { Connection } from './connection.ts';

export interface StandingRequestOptions {
  /** Asks the server. Called again after each reconnect and each failure that may pass. */
  ask: () => Promise<void>;
  /** It is over: with the error that will not pass, or because the connection was closed. */
  end: (error?: ShannonDashError) => void;
}

/**
 * A request that is to stand (a subscription, an attachment): made once the connection is live and again whenever it is live
 * again, one at a time.
 */
export class StandingRequest {
  /** Resolves with the first answer. @throws ShannonDashError why there will be none */
  readonly first: Promise<void>;
  readonly #connection: Connection;
  readonly #options: StandingRequestOptions;
  readonly #first = Promise.withResolvers<void>();
  readonly #off: () => void;
  #isRunning = false;
  #isWanted = false;
  #isPaused = false;
  #isClosed = false;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection, options: StandingRequestOptions) {
    this.#connection = connection;
    this.#options = options;
    this.first = this.#first.promise;
    this.first.catch(() => undefined);
    let status = 'new';
    const look = () => {
      const before = status;
      status = connection.state.status;
      if (status === before) return;
      if (status === 'live' && !this.#isPaused) this.again();
      if (status === 'closed') this.#fail(connection.failure);
    };
    this.#off = connection.onState(look);
    // Not at once: the object that makes this request is not complete yet.
    queueMicrotask(look);
  }

  /** Asks anew. */
  again(): void {
    this.#isPaused = false;
    this.#isWanted = true;
    clearTimeout(this.#timer);
    void this.#run();
  }

  /** From now on, until `again` is called, a reconnect asks nothing. */
  pause(): void {
    this.#isPaused = true;
  }

  /** @param error why nothing is asked any more, for the code that waits for the first answer */
  close(error = this.#connection.failure): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#off();
    this.#first.reject(error ?? new ShannonDashError('UNREACHABLE', `it was closed before ${this.#connection.url} answered`));
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isWanted && !this.#isClosed && this.#connection.state.status === 'live') {
      this.#isWanted = false;
      try {
        await this.#options.ask();
        this.#attempt = 0;
        this.#first.resolve();
      } catch (error) {
        this.#failed(asShannonDashError(error));
      }
    }
    this.#isRunning = false;
  }

  #failed(error: ShannonDashError): void {
    if (this.#isClosed) return;
    if (!isRetryable(error)) this.#fail(error);
    else this.#timer = setTimeout(() => this.again(), waitMsAfter(error, ++this.#attempt));
  }

  #fail(error: ShannonDashError | undefined): void {
    this.#first.reject(error);
    // UNREACHABLE for good means that the program closed the connection: an end as any other.
    this.#options.end(error?.code === 'UNREACHABLE' ? undefined : error);
  }
}
