import type { SessionEvent } from '../core/protocol/event.ts';
import { isLive, type SessionState } from '../core/protocol/session-state.ts';

/** What a watcher may wait for. */
export type UntilCondition = 'done' | 'failed' | 'decision';

/** Why a watch ends by itself. */
export type WatchEnding = 'run-completed' | 'run-failed' | 'decision-pending' | 'event-reached';

/** The events with which a run ends, or is given up. */
const endTypes: ReadonlySet<string> = new Set(['execution:completed', 'execution:failed', 'execution:lost']);

export interface EndOptions {
  until: UntilCondition | undefined;
  /** The watch ends with the run. */
  exitStatus: boolean;
  /** The watch ends as soon as a decision is pending. */
  failOnDecision: boolean;
  /** The watch ends after this event. */
  at: number | undefined;
}

/** How a session ended; undefined while it goes on. One that is lost may come back, but nobody should wait for that. */
export function endingOf({ status }: SessionState): 'run-completed' | 'run-failed' | undefined {
  if (isLive(status)) return undefined;
  return status === 'completed' ? 'run-completed' : 'run-failed';
}

/** Tells when a watch ends by itself, for every form of it. What a script learns of the ending is the caller's. */
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
   * @returns the ending if nothing is to be told and the state is the end
   */
  afterHistory(past: SessionState, toldSeq: number): WatchEnding | undefined {
    if (toldSeq >= past.seq) return this.inState(past);
    this.#past = past;
    return undefined;
  }

  /** The ending if this state is the end already. */
  inState(state: SessionState | undefined): WatchEnding | undefined {
    if (state === undefined) return undefined;
    const ending = endingOf(state);
    if (ending !== undefined) return this.#onEnded(ending);
    return hasOpenDecision(state) ? this.#onDecision() : undefined;
  }

  /** The ending if one of all sessions is the end: no single run, but any decision. */
  inStates(states: readonly SessionState[]): WatchEnding | undefined {
    return states.some(hasOpenDecision) ? this.#onDecision() : undefined;
  }

  /** The ending if this event is the end. */
  at(event: SessionEvent): WatchEnding | undefined {
    const past = this.#past;
    if (past === undefined) return this.#inEvent(event) ?? this.#onSeq(event.seq);
    if (event.seq < past.seq) return this.#onSeq(event.seq);
    this.#past = undefined;
    // Beyond the last of the history: some of it is no longer kept.
    const isNews = event.seq > past.seq;
    return this.inState(past) ?? (isNews ? this.#inEvent(event) : undefined) ?? this.#onSeq(event.seq);
  }

  #inEvent({ type }: SessionEvent): WatchEnding | undefined {
    if (type === 'decision:point') return this.#onDecision();
    return endTypes.has(type) ? this.#onEnded(type === 'execution:completed' ? 'run-completed' : 'run-failed') : undefined;
  }

  #onSeq(seq: number): WatchEnding | undefined {
    const { at } = this.#options;
    return at !== undefined && seq >= at ? 'event-reached' : undefined;
  }

  #onEnded(ending: WatchEnding): WatchEnding | undefined {
    // A watch that waits for a failure or a decision gets none any more.
    return this.isWanted ? ending : undefined;
  }

  #onDecision(): WatchEnding | undefined {
    return this.#options.failOnDecision || this.#options.until === 'decision' ? 'decision-pending' : undefined;
  }
}

function hasOpenDecision({ decisions }: SessionState): boolean {
  return decisions.some(({ status }) => status === 'open');
}
