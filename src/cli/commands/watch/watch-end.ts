import type { SessionEvent } from '../../../core/protocol/event.ts';
import { isLive, type SessionState } from '../../../core/protocol/session-state.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { UntilCondition } from './definition.ts';

/** The events with which a run ends, or is given up. */
const endTypes: ReadonlySet<string> = new Set(['execution:completed', 'execution:failed', 'execution:lost']);

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
  /** What the history that is still being told has led to. */
  #past: SessionState | undefined;

  constructor(options: EndOptions) {
    this.#options = options;
  }

  /** Whether there is any end but a signal. */
  get isWanted(): boolean {
    const { until, exitStatus, failOnDecision, at } = this.#options;
    return until !== undefined || exitStatus || failOnDecision || at !== undefined;
  }

  /**
   * Events up to this state are history: a decision of theirs may have been made since, one before them may be open. It is
   * the state that counts, once the last of them is told.
   * @param toldSeq the last event that is not told again
   * @returns the exit code if nothing is to be told and the state is the end
   */
  afterHistory(past: SessionState, toldSeq: number): number | undefined {
    if (toldSeq >= past.seq) return this.inState(past);
    this.#past = past;
    return undefined;
  }

  /** The exit code if this state is the end already. */
  inState(state: SessionState | undefined): number | undefined {
    if (state === undefined) return undefined;
    // One that is lost may come back, but nobody should wait for that.
    if (!isLive(state.status)) return this.#onEnded(state.status !== 'completed');
    return state.decisions.some(({ status }) => status === 'open') ? this.#onDecision() : undefined;
  }

  /** The exit code if this event is the end. */
  at(event: SessionEvent): number | undefined {
    const past = this.#past;
    if (past === undefined) return this.#inEvent(event) ?? this.#onSeq(event.seq);
    if (event.seq < past.seq) return this.#onSeq(event.seq);
    this.#past = undefined;
    // Beyond the last of the history: some of it is no longer kept.
    const isNews = event.seq > past.seq;
    return this.inState(past) ?? (isNews ? this.#inEvent(event) : undefined) ?? this.#onSeq(event.seq);
  }

  #inEvent({ type }: SessionEvent): number | undefined {
    if (type === 'decision:point') return this.#onDecision();
    return endTypes.has(type) ? this.#onEnded(type !== 'execution:completed') : undefined;
  }

  #onSeq(seq: number): number | undefined {
    const { at } = this.#options;
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
