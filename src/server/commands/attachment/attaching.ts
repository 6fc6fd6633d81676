import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { detachedId } from '../../../core/ids.ts';
import type { AttachRequest } from '../../../core/protocol/messages.ts';
import { isEnded, type CommandState, type SessionState } from '../../../core/protocol/session-state.ts';
import { holderOf, type Place } from './attached.ts';
import type { CommandDelivery } from '../command-delivery.ts';
import { runEnded } from '../command-due.ts';
import { step, unfinished, type Step } from '../rules/command-step.ts';
import type { Detachment } from './detachment.ts';
import type { LedgerParts } from '../ledger-parts.ts';
import type { Attachment, OrchestratorLink } from './orchestrators.ts';

/** Attaches orchestrators and lets them go. An attachment is a lease in the journal: the server that holds the link, and a term. */
export class Attaching {
  readonly #parts: LedgerParts;
  readonly #delivery: CommandDelivery;

  constructor(parts: LedgerParts, delivery: CommandDelivery) {
    this.#parts = parts;
    this.#delivery = delivery;
  }

  /**
   * Makes a link the session's orchestrator; answers with the fold and what is not finished, and delivers that.
   * @throws ShannonDashError SUPERSEDED, CONFLICT
   */
  attach(link: OrchestratorLink, request: AttachRequest): Promise<{ epoch: string; state: SessionState; commands: CommandState[] }> {
    const { mutex, writer, orchestrators } = this.#parts;
    const { session_id: sessionId, under } = request;
    return mutex.run(sessionId, async () => {
      const place: Place = under === undefined ? 'primary' : 'delegate';
      const { epoch, last_seq } = await writer.writeOrCreate(sessionId, (before) => {
        if (before === undefined) return [this.#attached(request)];
        checkPlace(before, request);
        const queue = place === 'delegate' ? [] : endOfQueue(before, request.instance_id);
        return [...queue, this.#attached(request)];
      });
      // The link before is superseded only now that the journal holds the new attachment.
      const attachment = orchestrators.attach(link, request, last_seq);
      const state = await writer.state(sessionId);
      this.#checkFollowed(state, attachment);
      const commands = unfinished(state).filter((command) => orchestrators.executorOf(state, command.command_type) === attachment);
      setImmediate(() => {
        for (const command of commands) this.#delivery.give(sessionId, attachment, command);
      });
      return { epoch, state, commands };
    });
  }

  /** Ends the attachment of a link that is gone. It does not create a session again that was deleted meanwhile. */
  async detach(sessionId: string, link: OrchestratorLink, detachment: Detachment): Promise<void> {
    const attachment = this.#parts.orchestrators.detach(sessionId, link);
    if (attachment === undefined || this.#parts.store.get(sessionId) === undefined) return;
    const { place, term, instanceId: instance_id } = attachment;
    const under = place === 'delegate' ? { under: true } : {};
    const end = { type: 'orchestrator:detached', id: detachedId(term), data: { instance_id, term, ...detachment, ...under } };
    await this.#parts.writer
      .write(sessionId, (state) => ({ events: holderOf(state, place)?.lease.term === term ? [end] : [], result: undefined }))
      .catch((error: unknown) => {
        if (!(error instanceof ShannonDashError) || error.code !== 'NOT_FOUND') throw error;
      });
  }

  /**
   * Attaches an orchestrator again whose link this server holds, while the journal says that none is attached: the session was
   * deleted and created again, or another server took this one for gone.
   */
  async keep(sessionId: string): Promise<void> {
    for (const attachment of this.#parts.orchestrators.attachmentsOf(sessionId)) {
      const { place, instanceId: instance_id, capabilities } = attachment;
      if (place === 'delegate') continue;
      const again = this.#attached({ instance_id, capabilities });
      await this.#parts.writer.write(sessionId, (state) => {
        const isNeeded = holderOf(state, place) === undefined && this.#parts.orchestrators.attachmentsOf(sessionId).includes(attachment);
        return { events: isNeeded ? [again] : [], result: undefined };
      });
    }
  }

  #attached({
    instance_id,
    capabilities,
    under,
  }: Pick<AttachRequest, 'instance_id' | 'under'> & { capabilities: readonly string[] }): Step {
    const { serverId: server } = this.#parts;
    return { type: 'orchestrator:attached', data: { instance_id, capabilities, server, ...(under === undefined ? {} : { under }) } };
  }

  /** @throws ShannonDashError SUPERSEDED another instance has attached while this one did */
  #checkFollowed(state: SessionState, attachment: Attachment): void {
    const holder = holderOf(state, attachment.place);
    if (holder === undefined || holder.lease.term <= attachment.term) return;
    this.#parts.orchestrators.detach(state.session_id, attachment.link);
    throw superseded(state.session_id, holder.instance_id);
  }
}

/** @throws ShannonDashError SUPERSEDED, CONFLICT the place is another instance's */
function checkPlace(state: SessionState, { instance_id, reattach, take_over, under }: AttachRequest): void {
  if (under !== undefined) return;
  const known = state.orchestrator?.instance_id ?? null;
  if (reattach && known !== null && known !== instance_id) throw superseded(state.session_id, known);
  const holder = holderOf(state, 'primary');
  if (!take_over && holder !== undefined && holder.instance_id !== instance_id) {
    throw new ShannonDashError('CONFLICT', `${holder.instance_id} is attached to ${state.session_id}`, { instance_id: holder.instance_id });
  }
}

function superseded(sessionId: string, by: string | null): ShannonDashError {
  return new ShannonDashError('SUPERSEDED', `${by} has taken over ${sessionId}`, { instance_id: by });
}

/**
 * A run begins with this instance. It never gets what was meant for the run before it, or for another instance that is
 * gone. It does get what is under way with an instance that it takes over from, and what was sent before anybody was there.
 */
function endOfQueue(state: SessionState, instanceId: string): Step[] {
  const end = (command: CommandState, status: 'failed' | 'expired', error: string) =>
    step(command, status, { error, acknowledged_by: 'server' });
  if (isEnded(state.status)) return unfinished(state).map((command) => end(command, 'failed', runEnded(state)));
  if (holderOf(state, 'primary') !== undefined) return [];
  const others = unfinished(state).filter(({ for_instance }) => for_instance !== null && for_instance !== instanceId);
  return others.map((command) => end(command, 'expired', 'The run that it was meant for is gone, and another one has begun'));
}
