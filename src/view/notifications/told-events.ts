import { eventFilter, lostEventType } from '../../core/event-filter.ts';
import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { textField } from '../../core/fold/fold-values.ts';
import { isReplay } from '../../core/recording/replay-of.ts';
import { openDecisions } from '../decision-prompt.ts';

/** What a person is told of who asked for nothing else: what needs a person, and what has ended. */
export const toldTypes: readonly string[] = [
  'decision:point',
  'agent:waiting',
  'execution:halted',
  'execution:completed',
  'execution:failed',
  'execution:lost',
  'validation:result',
];

/** Of these events there is not always something to tell. */
const toldWhen: ReadonlyMap<string, (event: Pick<SessionEvent, 'data'>) => boolean> = new Map([
  ['validation:result', ({ data }) => data['success'] === false],
  // Whoever has just started an agent knows that it waits for its first prompt.
  ['agent:waiting', ({ data }) => data['reason'] !== 'prompt'],
  ['orchestrator:detached', ({ data }) => data['code'] !== 'left'],
]);

/** Whether an event of this type may be told of: `isToldOf` says whether the event itself is. */
export function toldFilter(globs: readonly string[]): (type: string) => boolean {
  const passes = eventFilter(globs);
  return (type) => type !== lostEventType && passes(type);
}

/** Whether there is anything to tell of this event. Checks that passed, and orchestrators that left in peace, are no news. */
export function isToldOf(event: Pick<SessionEvent, 'type' | 'data'>): boolean {
  return toldWhen.get(event.type)?.(event) ?? true;
}

/**
 * Whether what this event asked for, or warned of, is no longer so: a decision is made, an agent goes on, a halt has ended; or all of it
 * happened before, in a session that this one replays.
 */
export function isOver({ type, data, seq, ...times }: SessionEvent, state: SessionState): boolean {
  if (isReplay(state)) return true;
  switch (type) {
    case 'decision:point':
      return !state.decisions.some((decision) => decision.seq === seq && decision.status === 'open');
    case 'agent:waiting': {
      const agentId = textField(data, 'agent_id');
      const waiting = agentId === null ? state.waiting : state.agents.find((agent) => agent.agent_id === agentId)?.waiting;
      // The question that it waits with is told of itself.
      const isAsked = data['reason'] === 'permission' && openDecisions(state).length > 0;
      return isAsked || waiting?.since !== receivedAt(times);
    }
    case 'execution:halted':
      return state.halt === null;
    case 'execution:lost':
      return state.lost === null;
    default:
      return false;
  }
}
