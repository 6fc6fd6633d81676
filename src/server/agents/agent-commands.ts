import type { Adapter } from '../../adapters/adapter.ts';
import { choiceRefusal } from '../../adapters/events/decisions.ts';
import { isOfHook } from '../../adapters/events/decisions.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { commandTypes, type CommandExecution } from '../../core/protocol/command.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { CommandUpdate } from '../commands/command-delivery.ts';
import type { HeldHook } from './held-hook.ts';
import type { AgentCheckpoints } from './agent-checkpoints.ts';
import type { RollbackRequest } from './work-tree-checkpoints.ts';
import type { HookRequest } from './hook-request.ts';
import { standstillOf, type Standstill } from './standstill.ts';
import { WaitingCommands, type Going } from './waiting-commands.ts';

const cannotStop = 'A hook cannot end an agent: HALT holds it; under `shannon-dash run`, STOP ends it with everything that it has started';

export interface AgentCommandsParts {
  adapter: Adapter;
  held: () => Iterable<HeldHook>;
  state: () => SessionState;
  /** What works without an agent; undefined while the turn of the session's own agent goes on. */
  background: () => readonly string[] | undefined;
  /** Says in the ledger how a command ended. */
  update: (update: CommandUpdate) => Promise<void>;
  checkpoints: AgentCheckpoints;
  /** Looks at the session again, and answers the hooks that may be answered. */
  look: () => Promise<void>;
}

/** Carries the commands of one session out, by what the hooks of its agent are answered, and says in the ledger what has come of them. */
export class AgentCommands {
  readonly #parts: AgentCommandsParts;
  readonly #waiting = new WaitingCommands();
  /** The HALTs that the agent does not stand still for yet. */
  readonly #halts = new Set<string>();
  /** Files are being put back: no call may begin meanwhile. */
  isRollingBack = false;

  constructor(parts: AgentCommandsParts) {
    this.#parts = parts;
  }

  /** What this agent can do. Under a program that freezes its whole tree, HALT and RESUME are that program's. */
  capabilities(isUnderRun: boolean): string[] {
    const { commands } = this.#parts.adapter.abilities;
    const own = commandTypes.filter((type) => type !== 'STOP' && (type === 'DECISION' || commands[type] === true));
    return isUnderRun ? own.filter((type) => type === 'REDIRECT' || type === 'INJECT' || type === 'DECISION') : own;
  }

  async take(command: CommandExecution): Promise<void> {
    const { adapter, held, look } = this.#parts;
    const { type, command_id } = command;
    const ability = type === 'DECISION' ? true : type === 'STOP' ? cannotStop : adapter.abilities.commands[type];
    if (ability !== true) return this.#fail(command_id, ability);
    switch (type) {
      case 'HALT':
        this.#halts.add(command_id);
        return look();
      case 'RESUME': {
        const released = [...held()].length;
        for (const halt of this.#halts) await this.#fail(halt, 'It was taken back by RESUME before the session stood still');
        this.#halts.clear();
        await this.#apply(command_id, { released });
        return look();
      }
      case 'REDIRECT':
      case 'INJECT':
        this.#waiting.add(command);
        return look();
      case 'DECISION':
        return this.#decide(command);
      case 'ROLLBACK':
        return this.#rollback(command);
    }
  }

  /** What a hook is to be answered that nothing holds, and which commands go with it. */
  next(hook: HookRequest): ReturnType<WaitingCommands['next']> {
    return this.#waiting.next(hook);
  }

  /** Says of each HALT that it is applied, once it is. */
  review(): void {
    if (this.#halts.size === 0) return;
    const { state, update } = this.#parts;
    const { halt } = state();
    const reached = halt === null ? undefined : this.#standstill();
    if (halt !== null && reached === undefined) return;
    for (const commandId of this.#halts) {
      this.#halts.delete(commandId);
      const end: CommandUpdate =
        reached === undefined
          ? { command_id: commandId, status: 'failed', error: 'The session was resumed, or has ended, before it stood still' }
          : { command_id: commandId, status: 'applied', result: reached };
      void update(end).catch((error: unknown) => this.#unlessEnded(error));
    }
  }

  /** The commands whose choices a hook is answered with. */
  choicesOf({ chosen }: HeldHook): Going[] {
    return [...chosen.values()].map(({ commandId }) => ({ commandId, result: 'the agent has the answer' }));
  }

  /** An answer has left, or could not. */
  async sent(going: readonly Going[], isTaken: boolean): Promise<void> {
    for (const { commandId, result } of going) {
      const isWaiting = this.#waiting.ids().includes(commandId);
      if (isTaken) {
        this.#waiting.remove(commandId);
        await this.#apply(commandId, result);
      } else if (isWaiting) this.#waiting.giveBack(commandId);
      else await this.#fail(commandId, answeredElsewhere);
    }
  }

  /** The agent has stopped to wait for a hook: choices that were to go with its answer come too late. */
  async tooLate({ chosen }: HeldHook): Promise<void> {
    for (const { commandId } of chosen.values()) await this.#fail(commandId, answeredElsewhere);
  }

  async #decide(command: CommandExecution): Promise<void> {
    const { held, state, look } = this.#parts;
    const decisionId = String(command['decision_id']);
    const comment = typeof command['comment'] === 'string' ? command['comment'] : null;
    const choice = { choice: String(command['choice']), comment, by: command.by };
    const refused = choiceRefusal(choice);
    const waiting = [...held()].find(({ decisionIds }) => decisionIds.includes(decisionId));
    if (waiting === undefined) {
      const decision = state().decisions.find((each) => each.decision_id === decisionId);
      // A question that a program under the agent asked: the answer is in the journal, where it reads it.
      if (decision === undefined || !isOfHook(decision)) return this.#apply(command.command_id, undefined);
      return this.#fail(command.command_id, answeredElsewhere);
    }
    if (refused !== undefined) return this.#fail(command.command_id, refused);
    waiting.chosen.set(decisionId, { ...choice, commandId: command.command_id });
    return look();
  }

  async #rollback(command: CommandExecution): Promise<void> {
    const { look, checkpoints } = this.#parts;
    const request = command as RollbackRequest;
    const refused = checkpoints.refusal ?? (request.dry_run === true ? undefined : this.#rollbackRefusal());
    if (refused !== undefined) return this.#fail(command.command_id, refused);
    this.isRollingBack = true;
    try {
      const result = await checkpoints.rollback(request);
      await this.#apply(command.command_id, result);
      if (request.dry_run !== true) this.#waiting.note(rolledBack(command));
    } catch (error) {
      await this.#fail(command.command_id, cutText(error instanceof Error ? error.message : String(error), 5_000));
    } finally {
      this.isRollingBack = false;
    }
    return look();
  }

  /** Files are put back only while nothing of the agent can change them. */
  #rollbackRefusal(): string | undefined {
    const reached = this.#standstill();
    if (reached === undefined) return 'The agent works, and would change files meanwhile: send HALT first';
    const [call] = reached.in_flight;
    return call === undefined ? undefined : `${call.tool_name} is under way still, and may change files: wait until it has ended`;
  }

  #standstill(): Standstill | undefined {
    const { adapter, held, state, background } = this.#parts;
    return standstillOf(state(), [...held()], {
      agentTools: adapter.abilities.agentTools,
      background: background() ?? [],
      hasEndedTurn: background() !== undefined,
    });
  }

  #apply(command_id: string, result: unknown): Promise<void> {
    return this.#end({ command_id, status: 'applied', ...(result === undefined ? {} : { result }) });
  }

  #fail(command_id: string, error: string): Promise<void> {
    return this.#end({ command_id, status: 'failed', error });
  }

  #end(update: CommandUpdate): Promise<void> {
    return this.#parts.update(update).catch((error: unknown) => this.#unlessEnded(error));
  }

  /** The command has ended otherwise, or its session is another one's now: nothing is left to say. */
  #unlessEnded(error: unknown): void {
    if (error instanceof ShannonDashError && ['CONFLICT', 'NOT_FOUND', 'FORBIDDEN', 'SUPERSEDED'].includes(error.code)) return;
    throw error;
  }
}

const answeredElsewhere = 'The agent does not wait for this answer any more: its own prompt was answered first, or the agent has given up';

function rolledBack({ by }: CommandExecution): string {
  return `The person who supervises this session (${by ?? 'unnamed'}) has put the files of the work tree back to an earlier state. What was read of them before may not be so any more.`;
}
