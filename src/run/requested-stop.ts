import type { Orchestrator } from '../client/orchestrator/orchestrator-contract.ts';
import { limits } from '../core/protocol/limits.ts';
import type { ChildTree } from './tree/child-tree.ts';
import type { EndedTree } from './tree/process-tree.ts';

/** Carries out STOP, and remembers who wanted it. */
export class RequestedStop {
  #by: string | undefined;
  #ending: Promise<EndedTree> | undefined;

  /** Takes the STOPs of a run for its program. */
  handle(run: Orchestrator, tree: ChildTree): void {
    run.onCommand('STOP', ({ by, reason, grace_ms: graceMs }) => {
      const why = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
      this.#by ??= `stopped by ${by ?? 'somebody'}${why}`;
      return (this.#ending ??= tree.end(typeof graceMs === 'number' ? graceMs : limits.stopGraceMs).catch((error: unknown) => {
        // Another STOP tries again.
        this.#ending = undefined;
        throw error;
      }));
    });
  }

  /** Who stopped the program, and why, in words; undefined where nobody did. */
  get sentence(): string | undefined {
    return this.#by;
  }

  /** Resolves when everything that the program has started has ended too, or could not be ended. */
  async settled(): Promise<void> {
    await this.#ending?.catch(() => undefined);
  }
}
