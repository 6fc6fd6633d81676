import { randomBytes } from 'node:crypto';
import { isCheckpointProof } from '../../client/orchestrator/checkpoint-proof.ts';
import type { ConnectOptions } from '../../client/connection/connection.ts';
import type { Orchestrator } from '../../client/orchestrator/orchestrator-contract.ts';
import { connectWatcher } from '../../client/watcher/watcher.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { newId } from '../../core/ids.ts';
import type { ChildTree } from '../tree/child-tree.ts';
import type { ProgramCheckpoints, TakenCheckpoint } from './program-checkpoints.ts';

/** For events that must not be dropped when the outbox is full. */
const kept = { whenFull: 'wait' } as const;
/** The most checkpoints that wait to be taken. Each one stops the program for a moment. */
const waitingCheckpoints = 100;
/** The rate limit for checkpoints that other clients announce: a burst of 5, then one every 10 seconds. */
const foreignAtOnce = 5;
const foreignEveryMs = 10_000;
/** A proof is valid once. The most used proofs that are remembered. */
const rememberedProofs = 10_000;

/** Connects checkpoints with the events of the session: publishes those that the run takes, and takes those that are announced. */
export class CheckpointAnnouncements {
  /** A key that only the program gets. It distinguishes checkpoints of the program from those that other clients announce. */
  readonly key = randomBytes(16).toString('hex');
  readonly #run: Orchestrator;
  readonly #checkpoints: ProgramCheckpoints;
  /** Ids of the events that this run published. */
  readonly #own = new Set<string>();
  readonly #usedProofs = new Set<string>();
  readonly #over = new AbortController();
  #watching: Promise<{ close(): Promise<void> }> | undefined;
  #waiting = 0;
  #foreignLeft = foreignAtOnce;
  #foreignAt = performance.now();

  constructor(run: Orchestrator, checkpoints: ProgramCheckpoints) {
    this.#run = run;
    this.#checkpoints = checkpoints;
  }

  /** Takes the first checkpoint before the program starts. Resolves when the program may start. */
  async begin(): Promise<void> {
    const { taken } = await this.#checkpoints.start();
    taken.then(
      (checkpoint) => this.tell(checkpoint),
      (error: unknown) => this.#failed('start', error),
    );
  }

  /** Publishes a checkpoint that this run took. */
  tell(checkpoint: TakenCheckpoint): void {
    const id = newId();
    this.#own.add(id);
    void this.#run.emit('checkpoint:created', { ...checkpoint }, { ...kept, id });
  }

  /** Begins to take the checkpoints that the program announces, and publishes each result for clients that wait for it. */
  watch({ url, token, client, session }: ConnectOptions & { session: string }, tree: ChildTree): void {
    // Announcements of an earlier run of the session are ignored.
    let formerSeq = this.#run.state?.seq;
    const eventTypes = ['checkpoint:created'];
    // Not awaited, because the program also runs without a server.
    const watching = connectWatcher({ url, token, client, session, signal: this.#over.signal, after: 'start', eventTypes });
    this.#watching = watching;
    watching.then(
      (watcher) =>
        watcher.onUpdate((update) => {
          if (update.kind !== 'events') return;
          formerSeq ??= this.#run.state?.seq ?? 0;
          for (const event of update.events) {
            if (event.seq <= formerSeq || this.#own.delete(event.id)) continue;
            const { checkpoint_id: id } = event.data as { checkpoint_id: string };
            this.#take(event, tree).catch((error: unknown) => this.#failed(id, error));
          }
        }),
      () => undefined,
    );
  }

  /** Stops taking checkpoints, because the run has ended. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#watching?.then(
      (watcher) => watcher.close(),
      () => undefined,
    );
  }

  async #take({ data }: SessionEvent, tree: ChildTree): Promise<void> {
    const { checkpoint_id: id, label, proof } = data as { checkpoint_id: string; label?: string | null; proof?: unknown };
    if (id === 'start' || /^before-rollback-\d+$/.test(id)) throw new Error(`${id} is an id that run itself gives`);
    if (this.#waiting >= waitingCheckpoints) throw new Error(`${waitingCheckpoints} checkpoints wait to be taken already`);
    this.#waiting++;
    try {
      const isForeign = !(await this.#isProgram(id, proof));
      if (isForeign) await this.#admitForeign(id);
      const {
        checkpoint_id,
        label: _,
        ...saved
      } = await this.#checkpoints.take(tree, id, label ?? id, isForeign ? 'foreign' : 'checkpoint');
      void this.#run.emit('checkpoint:saved', { checkpoint_id, ...saved }, kept);
    } finally {
      this.#waiting--;
    }
  }

  async #isProgram(id: string, proof: unknown): Promise<boolean> {
    if (typeof proof !== 'string' || this.#usedProofs.has(proof) || this.#usedProofs.size >= rememberedProofs) return false;
    this.#usedProofs.add(proof);
    if (await isCheckpointProof(this.key, id, proof)) return true;
    this.#usedProofs.delete(proof);
    return false;
  }

  /** @throws Error when it would replace a checkpoint of the program, or when there are too many: each stops the program for a moment */
  async #admitForeign(id: string): Promise<void> {
    const now = performance.now();
    const more = Math.floor((now - this.#foreignAt) / foreignEveryMs);
    this.#foreignAt += more * foreignEveryMs;
    this.#foreignLeft = Math.min(foreignAtOnce, this.#foreignLeft + more);
    if (this.#foreignLeft === 0)
      throw new Error(
        `others than the program announce too many checkpoints; one is taken each ${foreignEveryMs / 1_000} s (the program: shannon-dash checkpoint)`,
      );
    this.#foreignLeft--;
    if (await this.#checkpoints.isTaken(id)) throw new Error(`${id} is the id of a checkpoint of the program`);
  }

  #failed(id: string, error: unknown): void {
    if (this.#checkpoints.isOver) return;
    void this.#run.emit('checkpoint:failed', { checkpoint_id: id, error: error instanceof Error ? error.message : String(error) }, kept);
  }
}
