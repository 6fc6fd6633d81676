import type { Orchestrator } from '../client/orchestrator/orchestrator-contract.ts';

/** How often the connection is checked, and how long to wait between attempts to start a server. */
const lookForServerMs = 250;
const restoreAgainMs = 1_000;
const restoreAgainMostMs = 30_000;

/** Starts a new server whenever the connection to the server is lost, as long as the run lasts. */
export class ServerRestorer {
  readonly #run: Orchestrator;
  readonly #restore: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #attempt: Promise<void> | undefined;
  #attempts = 0;
  #nextAt = 0;

  constructor(run: Orchestrator, restore: () => Promise<void> = async () => undefined) {
    this.#run = run;
    this.#restore = restore;
    this.#timer = setInterval(() => this.#look(), lookForServerMs);
    this.#timer.unref();
  }

  /** Tries at once, without waiting for the next scheduled attempt. Resolves when the attempt is over. */
  async restoreNow(): Promise<void> {
    this.#nextAt = 0;
    this.#look();
    await this.#attempt;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#run.connection.status === 'live') {
      this.#attempts = 0;
      this.#nextAt = 0;
      return;
    }
    if (this.#attempt !== undefined || performance.now() < this.#nextAt) return;
    this.#attempt = this.#restore()
      .then(() => this.#run.retryNow())
      .catch(() => undefined)
      .finally(() => {
        this.#attempt = undefined;
        this.#nextAt = performance.now() + Math.min(restoreAgainMostMs, restoreAgainMs * 2 ** this.#attempts++);
      });
  }
}
