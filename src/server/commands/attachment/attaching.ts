import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { detachedId } from '../../../core/ids.ts';
import type { AttachRequest } from '../../../core/protocol/messages.ts';
import { isEnded, type CommandState, type SessionState } from '../../../core/protocol/session-state.ts';
import { holderOf, type Place } from '../../../core/fold/executor.ts';
import { checkHolder, hashOfLease, isOwn, newLease, notOwn, type Claim } from './lease.ts';
import type { CommandDelivery } from '../command-delivery.ts';
import { runEnded } from '../command-due.ts';
import { step, unfinished, type Step } from '../rules/command-step.ts';
import type { Detachment } from './detachment.ts';
import type { LedgerParts } from '../ledger-parts.ts';
import type { Attachment, OrchestratorLink } from './orchestrators.ts';

/** The answer to a client that has attached. */
export interface Attached {
  epoch: string;
  state: SessionState;
  commands: CommandState[];
  /** Proves that the attachment is this client's. */
  lease: string;
}

/** Attaches orchestrators and lets them go. An attachment is a lease in the journal: the server that holds the link, and a term. */
export class Attaching {
  readonly #parts: LedgerParts;
  readonly #delivery: CommandDelivery;

  constructor(parts: LedgerParts, delivery: CommandDelivery) {
    this.#parts = parts;
    this.#delivery = delivery;
  }

  /**
   * Makes a link the session's orchestrator; answers with its lease, the fold and what is not finished, and delivers that.
   * @throws ShannonDashError SUPERSEDED, CONFLICT, FORBIDDEN
   */
  attach(link: OrchestratorLink, request: AttachRequest, claim: Claim): Promise<Attached> {
    const { mutex, writer, orchestrators } = this.#parts;
    const { session_id: sessionId, under } = request;
    return mutex.run(sessionId, async () => {
      const place: Place = under === undefined ? 'primary' : 'delegate';
      let lease = newLease();
      const proof = () => ({ owner: claim.owner, sha256: hashOfLease(lease) });
      const { epoch, last_seq } = await writer.writeOrCreate(sessionId, (before) => {
        if (before === undefined) return [this.#attached(request, proof())];
        checkPlace(before, request, claim);
        // Shown again it stays the same, and what was given out for it stays good.
        const isSame = request.lease !== undefined && isLeaseOf(before, request.lease);
        if (isSame) lease = request.lease ?? lease;
        const queue = place === 'delegate' ? [] : endOfQueue(before, request.instance_id, claim);
        return [...queue, this.#attached(request, proof(), isSame && holderOf(before, place) !== undefined)];
      });
      // The link before is superseded only now that the journal holds the new attachment.
      const attachment = orchestrators.attach(link, request, { term: last_seq, proof: proof() });
      const state = await writer.state(sessionId);
      this.#checkFollowed(state, attachment);
      const commands = unfinished(state).filter((command) => orchestrators.executorOf(state, command.command_type) === attachment);
      setImmediate(() => {
        for (const command of commands) this.#delivery.give(sessionId, attachment, command);
      });
      return { epoch, state, commands, lease };
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
   * deleted and created again, or another server took this one for gone. It then gets the commands that have come meanwhile.
   */
  async keep(sessionId: string): Promise<void> {
    for (const attachment of this.#parts.orchestrators.attachmentsOf(sessionId)) {
      const { place, instanceId: instance_id, capabilities, proof } = attachment;
      if (place === 'delegate') continue;
      const again = this.#attached({ instance_id, capabilities }, proof);
      await this.#parts.writer.write(sessionId, (state) => {
        const isNeeded = holderOf(state, place) === undefined && this.#parts.orchestrators.attachmentsOf(sessionId).includes(attachment);
        return { events: isNeeded ? [again] : [], result: undefined };
      });
      // What was queued in between was given to nobody.
      const state = await this.#parts.writer.state(sessionId);
      for (const command of unfinished(state)) this.#delivery.deliver(state, command);
    }
  }

  #attached(
    { instance_id, capabilities, under }: Pick<AttachRequest, 'instance_id' | 'under'> & { capabilities: readonly string[] },
    { owner, sha256: lease }: Attachment['proof'],
    isAgain = false,
  ): Step {
    const { serverId: server } = this.#parts;
    const optional = {
      ...(owner === undefined ? {} : { owner }),
      ...(under === undefined ? {} : { under }),
      // It was never away: it tells which commands it carries out by now.
      ...(isAgain ? { again: true } : {}),
    };
    return { type: 'orchestrator:attached', data: { instance_id, capabilities, server, lease, ...optional } };
  }

  /** @throws ShannonDashError SUPERSEDED another instance has attached while this one did */
  #checkFollowed(state: SessionState, attachment: Attachment): void {
    const holder = holderOf(state, attachment.place);
    if (holder === undefined || holder.lease.term <= attachment.term) return;
    this.#parts.orchestrators.detach(state.session_id, attachment.link);
    throw superseded(state.session_id, holder.instance_id);
  }
}

/**
 * Whether it may have the place. The name of an instance is no proof that it is the same one: anybody can read it.
 * @throws ShannonDashError SUPERSEDED, CONFLICT the place is another instance's; FORBIDDEN it is another token's
 */
function checkPlace(state: SessionState, { instance_id, reattach, take_over, under, lease }: AttachRequest, claim: Claim): void {
  const { orchestrator } = state;
  const known = orchestrator?.instance_id ?? null;
  if (under === undefined && reattach && orchestrator !== null) {
    if (known !== null && known !== instance_id) throw superseded(state.session_id, known);
    // It had the place, and another one of its name has it now.
    if (!isOwn(orchestrator.lease, claim)) throw lease === undefined ? notOwn(state.session_id) : superseded(state.session_id, known);
  }
  checkHolder(state, claim);
  if (under !== undefined) return;
  const holder = holderOf(state, 'primary');
  if (!take_over && holder !== undefined && holder.instance_id !== instance_id) {
    throw new ShannonDashError('CONFLICT', `${holder.instance_id} is attached to ${state.session_id}`, { instance_id: holder.instance_id });
  }
}

/** Whether a lease was given to the orchestrator of a session, or to the program under it. */
function isLeaseOf({ orchestrator, delegate }: SessionState, lease: string): boolean {
  const sha256 = hashOfLease(lease);
  return orchestrator?.lease.sha256 === sha256 || delegate?.lease.sha256 === sha256;
}

function superseded(sessionId: string, by: string | null): ShannonDashError {
  return new ShannonDashError('SUPERSEDED', `${by} has taken over ${sessionId}`, { instance_id: by });
}

/** What may have happened to a command before its run was gone. */
function mayBeDone({ delivered_to, offered_to }: CommandState): string {
  const had = delivered_to ?? offered_to;
  return had === null ? '' : `; ${had} was sent it, and may have carried it out`;
}

/**
 * A run begins with this instance. It never gets what was meant for the run before it, or for another instance that is
 * gone. It does get what is under way with an instance that it takes over from, and what was sent before anybody was there.
 */
function endOfQueue(state: SessionState, instanceId: string, claim: Claim): Step[] {
  const end = (command: CommandState, status: 'failed' | 'expired', error: string) =>
    step(command, status, { error, acknowledged_by: 'server' });
  if (isEnded(state.status)) return unfinished(state).map((command) => end(command, 'failed', runEnded(state)));
  if (holderOf(state, 'primary') !== undefined) return [];
  const isSame = state.orchestrator !== null && isOwn(state.orchestrator.lease, claim);
  const others = unfinished(state).filter(({ for_instance }) => for_instance !== null && !(isSame && for_instance === instanceId));
  return others.map((command) =>
    end(command, 'expired', `The run that it was meant for is gone, and another one has begun${mayBeDone(command)}`),
  );
}
