import { OrphanGuard } from './orphan-guard.ts';
import { readProcessTable } from './process-table.ts';
import { continueTree, NotStoppedError, signalTree, stopTree, type StoppedProcesses } from './process-tree.ts';
import type { TreeRoot } from './tree-members.ts';

/**
 * Signals that mean the end. They go to the whole tree, as a terminal, timeout(1) and systemd send them: what the program
 * started must not live on where nobody looks. What stands still is let go on, so that it can act on them. Any other signal
 * goes to the program alone.
 */
const endSignals = new Set<NodeJS.Signals | number>(['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM']);

const none: StoppedProcesses = new Map();

/** A program with everything it started: stopped and continued as a whole, one request after the other. */
export class ChildTree {
  readonly #root: TreeRoot;
  readonly #guard: OrphanGuard;
  readonly #onLetGo: (signal: NodeJS.Signals | number) => void;
  #isHalted = false;
  /** What stands still because of us; not what the program itself has stopped. */
  #stopped = none;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param onLetGo a halted program goes on, because it was told to end */
  constructor(root: TreeRoot, onLetGo: (signal: NodeJS.Signals | number) => void) {
    this.#root = root;
    this.#guard = new OrphanGuard(root);
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

  /** Resolves when nothing of it stands still that ran before. @throws Error naming those that do */
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

  /** The program has stopped, unless that was our doing. Does something meanwhile, then lets it go on as a shell does. */
  suspended(work: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const root = (await readProcessTable()).find(({ pid }) => pid === this.#root.pid);
      if (this.#isHalted || root?.state !== 'T') return;
      await work();
      if (this.#root.leadsGroup) process.kill(-this.#root.pid, 'SIGCONT');
      else process.kill(this.#root.pid, 'SIGCONT');
    });
  }

  /** Hands a signal on as it would have come bare. */
  signal(signal: NodeJS.Signals | number): Promise<void> {
    return this.#inTurn(async () => {
      if (!endSignals.has(signal)) return void process.kill(this.#root.pid, signal);
      await this.#signalGroup(signal);
      await this.#letGo(signal);
      // A parent that watches its children may have stopped itself; it would end only after somebody let it go on.
      await continueTree(this.#root, 'everything').catch(() => undefined);
    });
  }

  /** The program has got a signal from elsewhere, as from its terminal. */
  hasGot(signal: NodeJS.Signals): Promise<void> {
    return this.#inTurn(() => this.#letGo(signal));
  }

  /** It has ended. What it left behind is as free as it would be bare, also where it was killed while all of it stood still. */
  async close(): Promise<void> {
    this.#guard.close();
    if (this.#stopped.size > 0) await continueTree(this.#root, this.#stopped).catch(() => undefined);
  }

  async #signalGroup(signal: NodeJS.Signals | number): Promise<void> {
    if (this.#root.leadsGroup) process.kill(-this.#root.pid, signal);
    else await signalTree(this.#root, signal);
  }

  async #letGo(signal: NodeJS.Signals | number): Promise<void> {
    if (!this.#isHalted || !endSignals.has(signal)) return;
    await this.#resume();
    this.#onLetGo(signal);
  }

  async #resume(): Promise<{ processes: number }> {
    const pids = await this.#continue();
    this.#isHalted = false;
    return { processes: pids.length };
  }

  async #stop(): Promise<number[]> {
    try {
      const { pids, stopped } = await stopTree(this.#root, { before: this.#stopped });
      this.#standsStill(stopped);
      return pids;
    } catch (error) {
      if (error instanceof NotStoppedError) this.#standsStill(error.stopped);
      throw error;
    }
  }

  async #continue(): Promise<number[]> {
    const { pids } = await continueTree(this.#root, this.#stopped);
    this.#standsStill(none);
    return pids;
  }

  #standsStill(stopped: StoppedProcesses): void {
    this.#stopped = stopped;
    this.#guard.stopped([...stopped.keys()]);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
