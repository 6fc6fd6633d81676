import { limits } from '../../core/protocol/limits.ts';

interface Budget {
  left: number;
  /** When `left` was counted, by the clock that only goes forward. */
  countedAtMs: number;
  /** Refusals not journalled since the last one that was. */
  letGo: number;
}

/**
 * How many refused commands a session's journal takes: some at once, then a few a minute. Whoever may send commands, also
 * the holder of a link to one decision, would fill the journal otherwise. Every refusal is answered all the same.
 */
export class RefusalBudget {
  readonly #budgets = new Map<string, Budget>();
  readonly #onLetGo: () => void;

  constructor(onLetGo: () => void) {
    this.#onLetGo = onLetGo;
  }

  /** Takes one place; how many were let go before it, or undefined when there is none: the refusal is counted and not journalled. */
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
