import type { SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions } from '../../view/decision-prompt.ts';
import { shown } from '../../view/text/shown-text.ts';

const rememberedDecisions = 10_000;

/** Calls a person once per pending decision: a notification (OSC 9) and, where wanted, the bell. */
export class DecisionNotifications {
  readonly #called = new Set<string>();
  readonly #write: (sequence: string) => void;
  readonly #withBell: boolean;

  constructor(write: (sequence: string) => void, withBell: boolean) {
    this.#write = write;
    this.#withBell = withBell;
  }

  /** Calls for the decisions of these sessions that were not called for before. */
  notify(states: Iterable<SessionState>): void {
    const fresh: string[] = [];
    for (const state of states) {
      for (const decision of openDecisions(state)) {
        const name = `${state.session_id} ${decision.decision_id}`;
        if (this.#called.has(name)) continue;
        if (this.#called.size >= rememberedDecisions) this.#called.clear();
        this.#called.add(name);
        fresh.push(`${state.session_id}: ${shown(decision.question, 100)}`);
      }
    }
    const [first] = fresh;
    if (first === undefined) return;
    const more = fresh.length === 1 ? '' : ` (and ${fresh.length - 1} more)`;
    // Ended by ST, not BEL: a terminal that does not know OSC 9 must not ring.
    this.#write(`\x1b]9;shannon-dash: decision pending in ${first}${more}\x1b\\${this.#withBell ? '\x07' : ''}`);
  }
}
