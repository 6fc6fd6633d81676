import type { CommandType } from '../core/protocol/command.ts';
import type { CodingAgent } from './coding-agents.ts';
import type { Answer, AnswerKind } from './answer.ts';
import type { Signal, SignalKind } from './signal.ts';

/** One of the agent's hook events, as `hook install` registers it. */
export interface HookEvent {
  /**
   * The longest that the server may hold this hook, in milliseconds; 0: it is answered at once. `hook install` gives the agent a
   * time-out that is `hookMarginMs` longer, so that the answer comes before the agent gives up.
   */
  holdMs: number;
  /** The agent gives this event no more time than this, in milliseconds, whatever it is asked for. */
  mostMs?: number;
  /** The event can only run a command, where others call the server themselves. */
  isCommandOnly?: true;
}

/** How much longer than `holdMs` the agent's own time-out has to be. */
export const hookMarginMs = 30_000;

/** What an agent can be told by the answers to its hooks. */
interface Abilities {
  /** For each command: true, or the reason why this agent cannot carry it out, as a sentence. */
  commands: Readonly<Record<Exclude<CommandType, 'DECISION' | 'STOP'>, true | string>>;
  /** The tools whose call is over when the sub-agents that it starts are: while they are held, the agent that called them stands still. */
  agentTools: readonly string[];
  /** The tools that change no files: no checkpoint is taken before them. Absent: any may. */
  readingTools?: readonly string[];
  /** Which answers each kind of signal takes beside `nothing`. */
  answers: Readonly<Partial<Record<SignalKind, readonly AnswerKind[]>>>;
}

/**
 * A translator between one agent and us. It is pure: it keeps nothing between two events. What an agent says becomes a signal, what
 * we decide becomes the exact body that this agent accepts.
 */
export interface Adapter {
  readonly agent: CodingAgent;
  /** By the agent's own names; an event that is not here is tolerated, and answered with nothing. */
  readonly events: Readonly<Record<string, HookEvent>>;
  readonly abilities: Abilities;
  /** @throws ShannonDashError INVALID it is no event of a hook of this agent: it does not even name a session */
  parse(input: unknown): Signal;
  /** The body of the answer. An answer that the signal does not take (see `abilities`) becomes one of nothing. */
  write(signal: Signal, answer: Answer): Record<string, unknown>;
}

/** Whether a signal of this agent takes an answer of this kind. */
export function takes({ abilities }: Adapter, { kind }: Signal, answer: AnswerKind): boolean {
  return answer === 'nothing' || abilities.answers[kind]?.includes(answer) === true;
}
