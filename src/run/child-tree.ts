import { continueTree, signalTree, stopTree } from './process-tree.ts';

/** Signals that a terminal sends to the whole group in front of it; any other goes to the program alone. */
const groupSignals = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT', 'SIGHUP']);

/** A program with everything it started: stopped and continued as a whole, one request after the other. */
export class ChildTree {
  readonly #pid: number;
  #isHalted = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Whether it was halted, and not resumed since. */
  get isHalted(): boolean {
    return this.#isHalted;
  }

  /** Resolves when every process of it has stopped. @throws Error naming those that did not */
  halt(): Promise<{ processes: number }> {
    return this.#inTurn(async () => {
      const { pids } = await stopTree(this.#pid);
      this.#isHalted = true;
      return { processes: pids.length };
    });
  }

  resume(): Promise<{ processes: number }> {
    return this.#inTurn(async () => {
      this.#isHalted = false;
      const { pids } = await continueTree(this.#pid);
      return { processes: pids.length };
    });
  }

  /** Does something while nothing of it moves, then lets it go on if it was not halted. */
  whileStopped<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      if (this.#isHalted) return work();
      await stopTree(this.#pid);
      try {
        return await work();
      } finally {
        await continueTree(this.#pid);
      }
    });
  }

  /** Hands a signal on as it would have come bare. A halted program gets to act on it too. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (groupSignals.has(signal)) await signalTree(this.#pid, signal);
    else process.kill(this.#pid, signal);
    if (this.#isHalted) await this.resume();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
