import { takes } from '../../adapters/adapter.ts';
import { answerOf, isAsking, leave, type Choice } from '../../adapters/events/decisions.ts';
import { nothing, type Answer } from '../../adapters/answer.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Going } from './waiting-commands.ts';
import type { HeldCall } from './standstill.ts';
import type { HookRequest } from './hook-request.ts';

/** A choice of an operator that waits until the hook is answered. */
interface Chosen extends Choice {
  commandId: string;
}

/** How a held hook ends: what the agent is answered, and the commands that this carries out. */
export interface HeldEnd {
  answer: Answer;
  going: Going[];
}

/** A hook that is not answered yet. */
export class HeldHook implements HeldCall {
  readonly request: HookRequest;
  readonly agentId: string | null;
  readonly toolId: string | null;
  /** The decisions that it waits for, in the order of its questions. */
  readonly decisionIds: readonly string[];
  readonly ended: Promise<HeldEnd>;
  readonly chosen = new Map<string, Chosen>();
  #end: (end: HeldEnd) => void = () => undefined;
  #timer: NodeJS.Timeout;

  /** @param onDeadline called when it can be held no longer */
  constructor(
    request: HookRequest,
    {
      agentId,
      decisionIds,
      holdMs,
      onDeadline,
    }: { agentId: string | null; decisionIds: readonly string[]; holdMs: number; onDeadline: () => void },
  ) {
    this.request = request;
    this.agentId = agentId;
    this.toolId = 'tool' in request.signal ? request.signal.tool.id : null;
    this.decisionIds = decisionIds;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#timer = setTimeout(onDeadline, holdMs);
    this.#timer.unref();
  }

  /** Ends it, once. */
  end(end: HeldEnd): void {
    clearTimeout(this.#timer);
    this.#end(end);
  }

  /** The answer by what was decided; undefined while a decision is open. It is nothing where none was asked for. */
  decided(state: SessionState): Answer | undefined {
    const { signal } = this.request;
    if (!isAsking(signal)) return nothing;
    const choices = this.decisionIds.map((id) => this.chosen.get(id) ?? madeIn(state, id));
    return choices.every((each) => each !== undefined) ? answerOf(signal, choices) : undefined;
  }
}

function madeIn({ decisions }: SessionState, decisionId: string): Choice | undefined {
  const made = decisions.find((each) => each.decision_id === decisionId && each.status === 'made');
  if (made === undefined || made.choice === null) return undefined;
  // What was answered at the agent's own prompt needs no answer from here.
  return { choice: made.made_by === 'terminal' ? leave : made.choice, comment: made.comment, by: made.made_by };
}

/** The answer to a hook that is held no longer, or cannot be: why a halted agent may not go on, where it is halted and the hook takes that. */
export function unheldAnswer({ adapter, signal }: HookRequest, { halt }: SessionState): Answer {
  if (halt === null) return nothing;
  const why = `The person who supervises this session (${halt.by ?? 'unnamed'}) has halted it${halt.reason === null ? '' : `: ${halt.reason}`}.`;
  if (takes(adapter, signal, 'deny')) {
    return {
      kind: 'deny',
      reason: `${why} It is still halted. Nothing is wrong with this call: make the same call again, which waits until the session is resumed.`,
    };
  }
  return takes(adapter, signal, 'refuse-prompt')
    ? { kind: 'refuse-prompt', reason: `${why} Send the prompt again once it is resumed.` }
    : nothing;
}
