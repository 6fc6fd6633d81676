import { OrphanGuard } from './orphan-guard.ts';
import { readProcessTable } from './process-table.ts';
import { continueTree, endTree, NotStoppedError, signalTree, stopTree, type EndedTree, type StoppedProcesses } from './process-tree.ts';
import { survivorsOf, type Survivor } from './survivors.ts';
import type { TreeRoot } from './tree-members.ts';

/**
 * Signals that ask a program to end. They go to the whole process tree, as a terminal, timeout(1) and systemd send them, so that no
 * child of the program stays behind unnoticed. Stopped processes are continued, so that they can act on the signal. Any other signal
 * goes to the program alone.
 */
const endSignals = new Set<NodeJS.Signals | number>(['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM']);

const none: StoppedProcesses = new Map();

/** A program with all its descendants. They are stopped and continued as a whole, one request after the other. */
export class ChildTree {
  readonly #root: TreeRoot;
  readonly #guard: OrphanGuard;
  readonly #onResumedBySignal: (signal: NodeJS.Signals | number) => void;
  #isHalted = false;
  /** The processes that this class stopped. Processes that the program itself had stopped are not among them. */
  #stopped = none;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param onResumedBySignal called when a halted program runs again because a signal asked it to end */
  constructor(root: TreeRoot, onResumedBySignal: (signal: NodeJS.Signals | number) => void) {
    this.#root = root;
    this.#guard = new OrphanGuard(root);
    this.#onResumedBySignal = onResumedBySignal;
  }

  /** Whether the program was halted and has not been resumed since. */
  get isHalted(): boolean {
    return this.#isHalted;
  }

  /** Resolves when every process of the tree has stopped. @throws Error naming those that did not; the tree then runs on */
  halt(): Promise<{ processes: number }> {
    return this.#inTurn(async () => {
      try {
        const pids = await this.#stop();
        if (pids.length === 0) throw new Error('the program has ended');
        this.#isHalted = true;
        return { processes: pids.length };
      } catch (error) {
        // A tree that is only partly stopped would be neither halted nor running.
        if (!this.#isHalted) await this.#continue();
        throw error;
      }
    });
  }

  /** Resolves when every process that was running before the halt runs again. @throws Error naming those that do not */
  resume(): Promise<{ processes: number }> {
    return this.#inTurn(() => this.#resume());
  }

  /** Runs `work` while the whole tree is stopped. Continues the tree afterwards, unless it was halted before. */
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

  /** Runs `work` when the program was suspended from outside, then continues it as a shell does. Does nothing after a halt. */
  suspended(work: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const root = (await readProcessTable()).find(({ pid }) => pid === this.#root.pid);
      if (this.#isHalted || root?.state !== 'T') return;
      await work();
      if (this.#root.leadsGroup) process.kill(-this.#root.pid, 'SIGCONT');
      else process.kill(this.#root.pid, 'SIGCONT');
    });
  }

  /** Delivers a signal as the program would receive it without `run`. */
  signal(signal: NodeJS.Signals | number): Promise<void> {
    return this.#inTurn(async () => {
      if (!endSignals.has(signal)) return void process.kill(this.#root.pid, signal);
      await this.#signalGroup(signal);
      await this.#resumeForSignal(signal);
      // A parent that watches its children may have stopped itself. It acts on the signal only when it is continued.
      await continueTree(this.#root, 'everything').catch(() => undefined);
    });
  }

  /** Ends the program and everything that it has started. @throws Error naming the processes that did not end */
  end(graceMs: number): Promise<EndedTree> {
    return this.#inTurn(() => endTree(this.#root, { graceMs }));
  }

  /** What goes on of it, once the program has ended. */
  survivors(): Promise<Survivor[]> {
    return survivorsOf(this.#root).catch(() => []);
  }

  /** Call it when the program received a signal from elsewhere, for example from its terminal. */
  noteDelivered(signal: NodeJS.Signals): Promise<void> {
    return this.#inTurn(() => this.#resumeForSignal(signal));
  }

  /** Call it when the program has ended. Continues its remaining children, which are still stopped after a kill during a halt. */
  async close(): Promise<void> {
    this.#guard.close();
    if (this.#stopped.size > 0) await continueTree(this.#root, this.#stopped).catch(() => undefined);
  }

  async #signalGroup(signal: NodeJS.Signals | number): Promise<void> {
    if (this.#root.leadsGroup) process.kill(-this.#root.pid, signal);
    else await signalTree(this.#root, signal);
  }

  async #resumeForSignal(signal: NodeJS.Signals | number): Promise<void> {
    if (!this.#isHalted || !endSignals.has(signal)) return;
    await this.#resume();
    this.#onResumedBySignal(signal);
  }

  async #resume(): Promise<{ processes: number }> {
    const pids = await this.#continue();
    this.#isHalted = false;
    return { processes: pids.length };
  }

  async #stop(): Promise<number[]> {
    try {
      const { pids, stopped } = await stopTree(this.#root, { before: this.#stopped });
      this.#setStopped(stopped);
      return pids;
    } catch (error) {
      if (error instanceof NotStoppedError) this.#setStopped(error.stopped);
      throw error;
    }
  }

  async #continue(): Promise<number[]> {
    const { pids } = await continueTree(this.#root, this.#stopped);
    this.#setStopped(none);
    return pids;
  }

  #setStopped(stopped: StoppedProcesses): void {
    this.#stopped = stopped;
    this.#guard.stopped([...stopped.keys()]);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
