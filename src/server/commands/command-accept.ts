import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { CommandRequest } from '../../core/protocol/command.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { CommandState, SessionState } from '../../core/protocol/session-state.ts';
import { executorOf } from '../../core/fold/executor.ts';
import { effectOf } from './rules/command-effect.ts';
import { gateStatus, refusal } from './rules/command-refusal.ts';
import { haltData, newCommand, step, unfinished, type Step } from './rules/command-step.ts';
import type { LedgerParts } from './ledger-parts.ts';
import type { RefusalBudget } from './refusal-budget.ts';
import type { Decided } from './state-writer.ts';

/** The types that the server applies itself while nobody is attached: it holds the gate and the inbox. */
const serversOwn: ReadonlySet<string> = new Set(['HALT', 'RESUME', 'DECISION']);

/** A command with its id, as it was sent. */
interface Sent {
  commandId: string;
  request: CommandRequest;
  sender: Pick<CommandState, 'by' | 'from'>;
  /** The command that it sends again. */
  resendOf?: string | undefined;
}

/** Accepts commands. To accept one is to write it, and nothing else: the feed of the journal brings it to its orchestrator. */
export class CommandAccept {
  readonly #parts: LedgerParts;
  readonly #refusals: RefusalBudget;

  constructor(parts: LedgerParts, refusals: RefusalBudget) {
    this.#parts = parts;
    this.#refusals = refusals;
  }

  /** Writes the command, once; refuses it; or, where nobody is attached, applies it if it is one of the server's own. */
  accept(sessionId: string, sent: Sent): Promise<CommandState> {
    let letGo: number | undefined;
    let hasTaken = false;
    // When the command is decided again, its refusal takes no second place.
    const takePlace = () => {
      if (!hasTaken) letGo = this.#refusals.take(sessionId);
      hasTaken = true;
      return letGo;
    };
    // The sender gets its answer before the listeners of the journal are told: it waits for the commit alone.
    const options = { latency: 'lowest' } as const;
    return this.#parts.mutex.run(sessionId, () =>
      this.#parts.writer.write(sessionId, (state) => this.#decide(state, sent, takePlace), options),
    );
  }

  async #decide(state: SessionState, sent: Sent, takePlace: () => number | undefined): Promise<Decided<CommandState>> {
    const { commandId, request, sender, resendOf } = sent;
    const isIdNew = request.command_id === undefined;
    const known = isIdNew ? undefined : await this.#parts.history.find(state.session_id, commandId);
    if (known !== undefined) {
      if (known.command_type === request.type) return { events: [], result: known };
      throw new ShannonDashError('CONFLICT', `command_id ${commandId} is that of a ${known.command_type}`);
    }
    // A command that is sent before the run starts is for the instance that starts it.
    const forInstance = state.started_at === null ? null : (state.orchestrator?.instance_id ?? null);
    const command = newCommand(commandId, request, sender, { forInstance, resendOf });
    const begin = (steps: readonly Step[]) => steps.map((each) => (each.id?.startsWith('command:') === true ? { ...each, isIdNew } : each));
    const refused = refusal(state, request);
    if (refused !== undefined) {
      const letGo = takePlace();
      const steps = letGo === undefined ? [] : [step(command, 'rejected', { error: refused, ...(letGo === 0 ? {} : { let_go: letGo }) })];
      return { events: begin(steps), result: { ...command, status: 'rejected', error: refused } };
    }
    checkRoom(state, request);
    const isDone = request.type === 'HALT' && gateStatus(state) === 'halted';
    const isServers = serversOwn.has(request.type) && executorOf(state, request.type) === undefined;
    const isHalting = request.type === 'HALT' && !isDone && state.status !== 'halting';
    const halting = isHalting ? [{ type: 'execution:halting', data: haltData(command) }] : [];
    const steps = [step(command, 'queued'), ...halting];
    if (!isDone && !isServers) return { events: begin(steps), result: command };
    const end = step(command, 'applied', { acknowledged_by: 'server' });
    return {
      events: begin([...steps, end, ...effectOf(state, command)]),
      result: { ...command, status: 'applied', acknowledged_by: 'server' },
    };
  }
}

/** HALT, RESUME and DECISION have room of their own, however many other commands wait. @throws ShannonDashError LIMIT_REACHED */
function checkRoom(state: SessionState, { type }: CommandRequest): void {
  const most = serversOwn.has(type) ? limits.unfinishedCommands + limits.unfinishedUrgentCommands : limits.unfinishedCommands;
  const waiting = unfinished(state).length;
  if (waiting < most) return;
  const sentence = `${waiting} commands of ${state.session_id} are not finished`;
  throw new ShannonDashError('LIMIT_REACHED', sentence, undefined, { limit: 'unfinished_commands' });
}
