import { nothing, type Answer } from '../../adapters/answer.ts';
import { takes } from '../../adapters/adapter.ts';
import { agentLimits } from '../../core/protocol/limits.ts';
import type { CommandExecution } from '../../core/protocol/command.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { textField } from '../../core/fold/fold-values.ts';
import type { HookRequest } from './hook-request.ts';

/** A command that goes out with an answer. */
export interface Going {
  commandId: string;
  /** Said in the ledger when the agent has taken it. */
  result: unknown;
}

interface Waiting {
  command: CommandExecution;
  isGoing: boolean;
  /** The sub-agents that a REDIRECT was told to already. */
  toldAgents: Set<string>;
}

/** REDIRECT and INJECT on their way to an agent: they wait for the next hook whose answer can carry them. */
export class WaitingCommands {
  readonly #waiting = new Map<string, Waiting>();
  #note: string | undefined;

  add(command: CommandExecution): void {
    this.#waiting.set(command.command_id, { command, isGoing: false, toldAgents: new Set() });
  }

  /** The model is told this with the next answer that can carry it, once. */
  note(text: string): void {
    this.#note = text;
  }

  /** The agent has taken it, or it is over. */
  remove(commandId: string): void {
    this.#waiting.delete(commandId);
  }

  /** It did not reach the agent: it waits for the next chance. */
  giveBack(commandId: string): void {
    const waiting = this.#waiting.get(commandId);
    if (waiting !== undefined) waiting.isGoing = false;
  }

  /** The ids of all. */
  ids(): string[] {
    return [...this.#waiting.keys()];
  }

  /** What a hook is to be answered, and which commands go with it. */
  next({ adapter, signal }: HookRequest): { answer: Answer; going: Going[] } {
    const waiting = [...this.#waiting.values()].filter(({ isGoing }) => !isGoing);
    if (waiting.length === 0) return { answer: this.#noted({ adapter, signal }) ?? nothing, going: [] };
    const redirect = waiting.findLast(({ command }) => command.type === 'REDIRECT');
    if (signal.agentId !== null) {
      // The sub-agent is told to stop what it does; the redirection itself is the session's own agent's to take.
      if (redirect === undefined || redirect.toldAgents.has(signal.agentId) || !takes(adapter, signal, 'deny'))
        return { answer: nothing, going: [] };
      if (redirect.toldAgents.size < agentLimits.heldHooks) redirect.toldAgents.add(signal.agentId);
      const reason = `${redirectText(redirect.command)} This sub-agent should end its work and report what it has.`;
      return { answer: { kind: 'deny', reason: toldToModel(reason) }, going: [] };
    }
    if (redirect !== undefined && takes(adapter, signal, 'deny')) {
      return this.#send([redirect], (text) => ({ kind: 'deny', reason: text }), 'its next call was denied with the instructions');
    }
    if (takes(adapter, signal, 'go-on')) {
      return this.#send(waiting, (text) => ({ kind: 'go-on', instructions: text }), 'it was told instead of ending its turn');
    }
    if (!takes(adapter, signal, 'context')) return { answer: nothing, going: [] };
    // A REDIRECT stops what the agent is about to do, where that can be denied; a new prompt comes before anything is done.
    const canDeny = adapter.abilities.answers['tool-starting']?.includes('deny') === true;
    const told = waiting.filter(({ command }) => command.type !== 'REDIRECT' || signal.kind === 'prompt' || !canDeny);
    if (told.length === 0) return { answer: nothing, going: [] };
    return this.#send(told, (text) => ({ kind: 'context', text }), `it was told at ${signal.event}`);
  }

  #noted({ adapter, signal }: Pick<HookRequest, 'adapter' | 'signal'>): Answer | undefined {
    const text = this.#note;
    if (text === undefined || signal.agentId !== null || !takes(adapter, signal, 'context')) return undefined;
    this.#note = undefined;
    return { kind: 'context', text };
  }

  #send(sent: readonly Waiting[], answer: (text: string) => Answer, result: string): { answer: Answer; going: Going[] } {
    for (const each of sent) each.isGoing = true;
    const text = sent.map(({ command }) => (command.type === 'REDIRECT' ? redirectText(command) : injectText(command))).join('\n\n');
    return { answer: answer(toldToModel(text)), going: sent.map(({ command }) => ({ commandId: command.command_id, result })) };
  }
}

/** Statements of fact, and who says them: a model distrusts orders that come from nowhere. */
function redirectText(command: CommandExecution): string {
  const skill = textField(command, 'target_skill');
  const path = textField(command, 'target_path');
  const goal = [...(skill === null ? [] : [`the new goal is: ${skill}`]), ...(path === null ? [] : [`the work is about: ${path}`])].join(
    '; ',
  );
  const instructions = textField(command, 'instructions');
  return `The person who supervises this session (${who(command)}) has redirected it: ${goal}.${instructions === null ? '' : ` Instructions: ${instructions}`}`;
}

function injectText(command: CommandExecution): string {
  const parameters = command['parameters'];
  const hasSome = typeof parameters === 'object' && parameters !== null && Object.keys(parameters).length > 0;
  const when =
    command['position'] === 'end'
      ? 'at the end of the work'
      : typeof command['position'] === 'number'
        ? `as step ${command['position'] + 1}`
        : 'next';
  return `The person who supervises this session (${who(command)}) has added a step, to be done ${when}: ${String(command['skill_name'])}.${hasSome ? ` Parameters: ${JSON.stringify(parameters)}` : ''}`;
}

function who({ by }: CommandExecution): string {
  return by ?? 'unnamed';
}

function toldToModel(text: string): string {
  return cutText(text, agentLimits.toldChars);
}
