import type { SessionEvent } from '../core/event.ts';
import type { SessionState } from '../core/session-state.ts';
import { exitCodes } from './exit-codes.ts';

export const untilConditions = ['done', 'failed', 'decision'] as const;

export type UntilCondition = (typeof untilConditions)[number];

export interface EndOptions {
  until: UntilCondition | undefined;
  /** Ends with the run, and with 5 if that failed. */
  exitStatus: boolean;
  /** Ends with 8 as soon as a decision is pending. */
  failOnDecision: boolean;
  /** Ends after this event. */
  at: number | undefined;
}

/** Tells when `watch` ends by itself, and with which exit code. */
export class WatchEnd {
  readonly #options: EndOptions;

  constructor(options: EndOptions) {
    this.#options = options;
  }

  /** Whether there is any end but a signal. */
  get isWanted(): boolean {
    const { until, exitStatus, failOnDecision, at } = this.#options;
    return until !== undefined || exitStatus || failOnDecision || at !== undefined;
  }

  /** The exit code if this state is the end already. */
  inState(state: SessionState | undefined): number | undefined {
    if (state === undefined) return undefined;
    if (state.status === 'completed' || state.status === 'failed') return this.#onEnded(state.status === 'failed');
    return state.decisions.some(({ status }) => status === 'open') ? this.#onDecision() : undefined;
  }

  /** The exit code if this event is the end. */
  at(event: SessionEvent): number | undefined {
    const { at } = this.#options;
    if (event.type === 'decision:point') return this.#onDecision() ?? this.#onSeq(event.seq, at);
    if (event.type === 'execution:completed' || event.type === 'execution:failed') return this.#onEnded(event.type === 'execution:failed');
    return this.#onSeq(event.seq, at);
  }

  #onSeq(seq: number, at: number | undefined): number | undefined {
    return at !== undefined && seq >= at ? exitCodes.ok : undefined;
  }

  #onEnded(isFailed: boolean): number | undefined {
    const { exitStatus } = this.#options;
    if (exitStatus && isFailed) return exitCodes.runFailed;
    // Whoever waits for a failure or a decision gets none any more.
    return this.isWanted ? exitCodes.ok : undefined;
  }

  #onDecision(): number | undefined {
    if (this.#options.failOnDecision) return exitCodes.decisionPending;
    return this.#options.until === 'decision' ? exitCodes.ok : undefined;
  }
}
