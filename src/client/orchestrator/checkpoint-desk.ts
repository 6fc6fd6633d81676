import { ShannonDashError } from '../../core/protocol/errors.ts';

/** How long a snapshot may take. */
const snapshotMs = 30_000;

/** The checkpoints whose snapshot a supervising `run` is taking. */
export class CheckpointDesk {
  readonly #waiting = new Map<string, { saved: () => void; failed: (error: ShannonDashError) => void }>();

  /** Announces a checkpoint and waits for its snapshot. @throws ShannonDashError TIMEOUT, INTERNAL, or what `announce` throws */
  async taken(checkpointId: string, announce: () => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = new ShannonDashError('TIMEOUT', `checkpoint ${checkpointId}: no snapshot in ${snapshotMs / 1_000} s`);
    const timer = setTimeout(() => reject(late), snapshotMs);
    this.#waiting.set(checkpointId, { saved: resolve, failed: reject });
    try {
      announce().catch(reject);
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(checkpointId);
    }
  }

  /** The `data` of a `checkpoint:saved` or `checkpoint:failed`. */
  ended(type: string, { checkpoint_id, error }: Record<string, unknown>): void {
    const waiting = this.#waiting.get(String(checkpoint_id));
    if (type === 'checkpoint:saved') waiting?.saved();
    else waiting?.failed(new ShannonDashError('INTERNAL', `checkpoint ${String(checkpoint_id)}: ${String(error)}`));
  }

  /** Fails every wait: no answer will come any more. */
  end(error: ShannonDashError): void {
    for (const { failed } of this.#waiting.values()) failed(error);
  }
}
