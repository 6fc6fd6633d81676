import { isFinal, type CommandExecution } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { CommandState, SessionState } from '../../core/protocol/session-state.ts';
import { effectOf } from './rules/command-effect.ts';
import { holderOf } from '../../core/fold/executor.ts';
import { step } from './rules/command-step.ts';
import type { LedgerParts } from './ledger-parts.ts';
import type { Attachment, OrchestratorLink } from './attachment/orchestrators.ts';

/** How a command ended, as its orchestrator says it. */
export interface CommandUpdate {
  command_id: string;
  status: 'applied' | 'failed';
  result?: unknown;
  error?: string | undefined;
}

/** Brings commands to the orchestrators whose links this server holds, and takes from them how the commands ended. */
export class CommandDelivery {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** Gives a command to its orchestrator, if this server holds the link. Otherwise another server does, or the next attachment. */
  deliver(state: SessionState, command: CommandState): void {
    const attachment = this.#parts.orchestrators.executorOf(state, command.command_type);
    if (attachment !== undefined) this.give(state.session_id, attachment, command);
  }

  /** Gives a command to an orchestrator, once for each attachment. */
  give(sessionId: string, attachment: Attachment, command: CommandState): void {
    const { command_id, command_type, parameters, by } = command;
    if (attachment.given.has(command_id)) return;
    attachment.given.add(command_id);
    const execution: CommandExecution = { ...parameters, command_id, type: command_type, session_id: sessionId, by };
    attachment.link
      .execute(execution)
      .then(
        () => this.#delivered(sessionId, command, attachment.instanceId),
        // The orchestrator did not acknowledge it: its connection is gone, and its next attachment gets the command again.
        () => undefined,
      )
      .catch(this.#parts.onProblem);
  }

  /**
   * Takes from an orchestrator how a command ended. It may say the same twice.
   * @throws ShannonDashError FORBIDDEN, SUPERSEDED, NOT_FOUND, CONFLICT
   */
  update(link: OrchestratorLink, sessionId: string, { command_id, status, result, error }: CommandUpdate): Promise<void> {
    const { mutex, orchestrators, history, writer } = this.#parts;
    return mutex.run(sessionId, async () => {
      const attachment = orchestrators.attachmentOf(sessionId, link);
      if (attachment === undefined)
        throw new ShannonDashError('FORBIDDEN', `Only the orchestrator of ${sessionId} can say how a command ended`);
      const fields = { result, error, acknowledged_by: attachment.instanceId };
      await writer.write(sessionId, async (state) => {
        checkLease(state, attachment);
        const command = await history.find(sessionId, command_id);
        if (command === undefined) throw new ShannonDashError('NOT_FOUND', `Command not found: ${command_id}`);
        if (isFinal(command.status)) {
          if (command.status === status) return { events: [], result: undefined };
          throw new ShannonDashError('CONFLICT', `Command ${command_id} has ended already: ${command.status}`, { status: command.status });
        }
        // An orchestrator that says how a command ended has it, also when its acknowledgement of the delivery is still on its way.
        const delivered = command.status === 'queued' ? [step(command, 'delivered', { delivered_to: attachment.instanceId })] : [];
        const effect = status === 'applied' ? effectOf(state, command) : [];
        return { events: [...delivered, step(command, status, fields), ...effect], result: undefined };
      });
    });
  }

  /**
   * Writes the step with the next commit, because nobody waits for it alone. That is most often the commit of the command's end,
   * which follows at once.
   */
  async #delivered(sessionId: string, command: CommandState, instanceId: string): Promise<void> {
    const current = await this.#parts.history.find(sessionId, command.command_id);
    if (current?.status !== 'queued') return;
    await this.#parts.writer.append(sessionId, [step(current, 'delivered', { delivered_to: instanceId })], { latency: 'normal' });
  }
}

/** @throws ShannonDashError SUPERSEDED another instance has taken the place, as the journal tells it */
function checkLease(state: SessionState, { place, term, instanceId }: Attachment): void {
  const holder = holderOf(state, place);
  if (holder === undefined || holder.lease.term <= term || holder.instance_id === instanceId) return;
  throw new ShannonDashError('SUPERSEDED', `${holder.instance_id} has taken over ${state.session_id}`, { instance_id: holder.instance_id });
}
