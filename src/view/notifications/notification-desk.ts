import type { SessionEvent } from '../../core/protocol/event.ts';
import { initialState, type SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions } from '../decision-prompt.ts';
import { notificationOf, type Notification } from './notification.ts';
import { NotificationQueue } from './notification-queue.ts';
import { isOver, isToldOf, toldFilter } from './told-events.ts';

const rememberedDecisions = 10_000;

/** What the user of a screen is told of while it is open: what comes, and the decisions that were open before. */
export class NotificationDesk {
  readonly #queue = new NotificationQueue<SessionEvent>();
  readonly #wants: (type: string) => boolean;
  /** Decisions that were told of, each by its session and place. */
  readonly #decisions = new Set<string>();

  /** @param globs over the types of events that are told of */
  constructor(globs: readonly string[]) {
    this.#wants = toldFilter(globs);
  }

  /** Takes new events. */
  take(events: readonly SessionEvent[], nowMs: number): void {
    for (const event of events) {
      if (this.#wants(event.type) && isToldOf(event) && this.#isNew(event)) this.#queue.add(event, nowMs);
    }
  }

  /** Takes the decisions that are open in these sessions, which may have been asked before the screen was there. */
  see(states: Iterable<SessionState>, nowMs: number): void {
    for (const state of states) {
      for (const { decision_id, question, agent_id, seq, asked_at } of openDecisions(state)) {
        const data = { decision_id, question, agent_id };
        this.take([{ session_id: state.session_id, seq, id: '', type: 'decision:point', timestamp: asked_at, data }], nowMs);
      }
    }
  }

  /** Milliseconds until `due` gives something; undefined: nothing waits. */
  dueInMs(nowMs: number): number | undefined {
    return this.#queue.dueInMs(nowMs);
  }

  /**
   * What is to be told now; undefined: nothing.
   * @param stateOf a session as it is now, where that is known: what is over there is not told
   */
  due(nowMs: number, stateOf: (sessionId: string) => SessionState | undefined): Notification | undefined {
    if (this.#queue.dueInMs(nowMs) !== 0) return undefined;
    return this.#take(nowMs, stateOf);
  }

  /** All that waits, for a screen that closes. */
  last(nowMs: number, stateOf: (sessionId: string) => SessionState | undefined): Notification[] {
    const told: Notification[] = [];
    while (this.#queue.dueInMs(nowMs) !== undefined) told.push(...[this.#take(nowMs, stateOf) ?? []].flat());
    return told;
  }

  #take(nowMs: number, stateOf: (sessionId: string) => SessionState | undefined): Notification | undefined {
    const occurrences = this.#queue.take().flatMap((event) => {
      const state = stateOf(event.session_id);
      if (state !== undefined && isOver(event, state)) return [];
      return { event, state: state ?? initialState({ session_id: event.session_id, created_at: event.timestamp }) };
    });
    this.#queue.end(occurrences.length === 0 ? undefined : nowMs);
    return occurrences.length === 0 ? undefined : notificationOf(occurrences);
  }

  #isNew({ type, session_id, seq }: SessionEvent): boolean {
    if (type !== 'decision:point') return true;
    const name = `${session_id} ${seq}`;
    if (this.#decisions.has(name)) return false;
    if (this.#decisions.size >= rememberedDecisions) this.#decisions.clear();
    this.#decisions.add(name);
    return true;
  }
}
