import { limits } from '../../core/protocol/limits.ts';

interface Budget {
  left: number;
  /** When `left` was counted, by the monotonic clock. */
  countedAtMs: number;
  /** Refusals not journalled since the last one that was. */
  letGo: number;
}

/**
 * Bounds how many refused commands of a session are journalled: some at once, then a few a minute. Otherwise any sender of
 * commands, also the holder of a link to one decision, could fill the journal. The sender of a refused command is always answered.
 */
export class RefusalBudget {
  readonly #budgets = new Map<string, Budget>();
  readonly #onLetGo: () => void;

  constructor(onLetGo: () => void) {
    this.#onLetGo = onLetGo;
  }

  /** Takes one place. Returns how many refusals before it were not journalled; undefined when there is no place, and this one is only counted. */
  take(sessionId: string): number | undefined {
    const now = performance.now();
    const before = this.#budgets.get(sessionId) ?? { left: limits.journalledRefusals, countedAtMs: now, letGo: 0 };
    const left = Math.min(limits.journalledRefusals, before.left + (now - before.countedAtMs) / limits.journalledRefusalMs);
    if (left < 1) {
      this.#budgets.set(sessionId, { left, countedAtMs: now, letGo: before.letGo + 1 });
      this.#onLetGo();
      return undefined;
    }
    this.#budgets.set(sessionId, { left: left - 1, countedAtMs: now, letGo: 0 });
    return before.letGo;
  }

  /** The session is deleted. */
  forget(sessionId: string): void {
    this.#budgets.delete(sessionId);
  }
}
