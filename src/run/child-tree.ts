import { OrphanGuard } from './orphan-guard.ts';
import { continueTree, stopTree } from './process-tree.ts';

/**
 * Signals that mean the end. They go to the whole group, as a terminal, timeout(1) and systemd send them: what the program
 * started must not live on where nobody looks. A halted program is let go on, so that it can act on them. Any other signal
 * goes to the program alone.
 */
const endSignals = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM']);

/** A program with everything it started: stopped and continued as a whole, one request after the other. */
export class ChildTree {
  readonly #pid: number;
  readonly #guard: OrphanGuard;
  readonly #onLetGo: (signal: NodeJS.Signals) => void;
  #isHalted = false;
  /** What stands still. */
  #stopped: readonly number[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  /** @param onLetGo a halted program goes on, because it was told to end */
  constructor(pid: number, onLetGo: (signal: NodeJS.Signals) => void) {
    this.#pid = pid;
    this.#guard = new OrphanGuard(pid);
    this.#onLetGo = onLetGo;
  }

  /** Whether it was halted, and not resumed since. */
  get isHalted(): boolean {
    return this.#isHalted;
  }

  /** Resolves when every process of it has stopped. @throws Error naming those that did not; nothing is left of it */
  halt(): Promise<{ processes: number }> {
    return this.#inTurn(async () => {
      try {
        const pids = await this.#stop();
        if (pids.length === 0) throw new Error('the program has ended');
        this.#isHalted = true;
        return { processes: pids.length };
      } catch (error) {
        // Half a program at rest would be neither halted nor running.
        if (!this.#isHalted) await this.#continue();
        throw error;
      }
    });
  }

  resume(): Promise<{ processes: number }> {
    return this.#inTurn(() => this.#resume());
  }

  /** Does something while nothing of it moves, then lets it go on if it was not halted. */
  whileStopped<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      if (this.#isHalted) return work();
      try {
        await this.#stop();
        return await work();
      } finally {
        await this.#continue();
      }
    });
  }

  /** Hands a signal on as it would have come bare. */
  signal(signal: NodeJS.Signals): Promise<void> {
    return this.#inTurn(async () => {
      process.kill(endSignals.has(signal) ? -this.#pid : this.#pid, signal);
      await this.#letGo(signal);
    });
  }

  /** The program has got a signal from elsewhere, as from its terminal. */
  hasGot(signal: NodeJS.Signals): Promise<void> {
    return this.#inTurn(() => this.#letGo(signal));
  }

  /** It has ended. What it left behind is as free as it would be bare, also where it was killed while all of it stood still. */
  async close(): Promise<void> {
    this.#guard.close();
    await continueTree(this.#stopped);
  }

  async #letGo(signal: NodeJS.Signals): Promise<void> {
    if (!this.#isHalted || !endSignals.has(signal)) return;
    await this.#resume();
    this.#onLetGo(signal);
  }

  async #resume(): Promise<{ processes: number }> {
    this.#isHalted = false;
    const pids = await this.#continue();
    return { processes: pids.length };
  }

  async #stop(): Promise<number[]> {
    const { pids } = await stopTree(this.#pid);
    this.#standsStill(pids);
    return pids;
  }

  async #continue(): Promise<number[]> {
    const { pids } = await continueTree(this.#pid);
    this.#standsStill([]);
    return pids;
  }

  #standsStill(pids: readonly number[]): void {
    this.#stopped = pids;
    this.#guard.stopped(pids);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
