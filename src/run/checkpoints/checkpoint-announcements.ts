import { randomBytes } from 'node:crypto';
import { isCheckpointProof } from '../../client/orchestrator/checkpoint-proof.ts';
import type { ConnectOptions } from '../../client/connection/connection.ts';
import type { Orchestrator } from '../../client/orchestrator/orchestrator-contract.ts';
import { connectWatcher } from '../../client/watcher/watcher.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { newId } from '../../core/ids.ts';
import type { ChildTree } from '../tree/child-tree.ts';
import type { ProgramCheckpoints, TakenCheckpoint } from './program-checkpoints.ts';

/** For events that must not be lost for want of room. */
const kept = { whenFull: 'wait' } as const;
/** Checkpoints that wait to be taken; each stops the program. */
const waitingCheckpoints = 100;
/** How many checkpoints that others than the program announce are taken at once, and how often one more. */
const foreignAtOnce = 5;
const foreignEveryMs = 10_000;
/** Proofs that were used are not taken again; so many are remembered. */
const rememberedProofs = 10_000;

/** Checkpoints as events of the session: those that the run makes are told, those that the program announces are taken. */
export class CheckpointAnnouncements {
  /** Handed to the program: by it the program's checkpoints are told from those that anybody else announces in its session. */
  readonly key = randomBytes(16).toString('hex');
  readonly #run: Orchestrator;
  readonly #checkpoints: ProgramCheckpoints;
  /** Ids of events of our own. */
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

  /** Keeps the files before the program begins. Resolves when it may begin. */
  async begin(): Promise<void> {
    const { taken } = await this.#checkpoints.start();
    taken.then(
      (checkpoint) => this.tell(checkpoint),
      (error: unknown) => this.#failed('start', error),
    );
  }

  /** Announces a checkpoint of our own. */
  tell(checkpoint: TakenCheckpoint): void {
    const id = newId();
    this.#own.add(id);
    void this.#run.emit('checkpoint:created', { ...checkpoint }, { ...kept, id });
  }

  /** Takes from now on the checkpoints that the program announces, and says when each is there for whoever waits. */
  watch({ url, token, client, session }: ConnectOptions & { session: string }, tree: ChildTree): void {
    // What a former run of the session announced is not ours to take.
    let formerSeq = this.#run.state?.seq;
    const eventTypes = ['checkpoint:created'];
    // Not awaited: without a server the program goes on.
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

  /** What is being taken is of no use any more. */
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

  /** @throws Error it would take the place of one of the program's, or there are too many: each stops the program for a moment */
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
