import type { SessionEvent } from '../core/protocol/event.ts';
import { isLive, type SessionState } from '../core/protocol/session-state.ts';

/** What a watcher may wait for. */
export type UntilCondition = 'done' | 'failed' | 'lost' | 'decision';

/** Why a watch ends by itself. */
export type WatchEnding = 'run-completed' | 'run-failed' | 'decision-pending' | 'event-reached' | 'timed-out';

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

/** How a session ended; undefined while it goes on. A lost one counts as failed: it may come back, but a script should not wait for that. */
export function endingOf({ status }: SessionState): 'run-completed' | 'run-failed' | undefined {
  if (isLive(status)) return undefined;
  return status === 'completed' ? 'run-completed' : 'run-failed';
}

/** Decides when a watch ends by itself, on the dashboard and in lines. The exit code for an ending is the command line's. */
export class WatchEnd {
  readonly #options: EndOptions;
  /** The state after the history, while events of that history still come. */
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
   * Events up to this state are history: a decision that they ask may have been made since, and one from before them may be
   * open. So the state decides, once the last event of the history has come.
   * @param toldSeq the last event that the watcher does not get again
   * @returns the ending if no event of the history comes and the state is the end
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

  /** The ending for a watch of all sessions: a decision of any of them is one, the end of a run is not. */
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
