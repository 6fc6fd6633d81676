import type { AttachRequest } from '../../../core/protocol/messages.ts';
import type { CommandExecution, CommandType } from '../../../core/protocol/command.ts';
import type { SessionState } from '../../../core/protocol/session-state.ts';
import { executorOf, type Place } from '../../../core/fold/executor.ts';

/** The way to an orchestrator's process. */
export interface OrchestratorLink {
  /** Resolves when the process has the command; rejects when that cannot be known. */
  execute(command: CommandExecution): Promise<void>;
  /** Another instance has taken the session over. */
  supersede(sessionId: string, by: string): void;
  /** The session was deleted. A program that was halted in it goes on, because nobody can resume it any more. */
  forget(sessionId: string): void;
}

/** A link that this server holds, and its lease. */
export interface Attachment {
  readonly link: OrchestratorLink;
  readonly place: Place;
  readonly instanceId: string;
  readonly capabilities: readonly string[];
  /** The `seq` of the event in the journal that attached it. */
  term: number;
  /** By whose token it was attached, and the hash of its lease. */
  readonly proof: { owner: string | undefined; sha256: string };
  /** The unfinished commands that it was given. */
  readonly given: Set<string>;
}

/** The links to orchestrators that this server holds. The journal tells which orchestrators are attached at all, here or at another server. */
export class Orchestrators {
  readonly #serverId: string;
  readonly #attached = new Map<string, Partial<Record<Place, Attachment>>>();

  constructor(serverId: string) {
    this.#serverId = serverId;
  }

  /** Puts a link in its place, and tells the one that was there. */
  attach(
    link: OrchestratorLink,
    { session_id, instance_id, capabilities, under }: AttachRequest,
    { term, proof }: Pick<Attachment, 'term' | 'proof'>,
  ): Attachment {
    const place: Place = under === undefined ? 'primary' : 'delegate';
    const attachment: Attachment = { link, place, instanceId: instance_id, capabilities, term, proof, given: new Set() };
    const former = this.#attached.get(session_id)?.[place];
    this.#attached.set(session_id, { ...this.#attached.get(session_id), [place]: attachment });
    if (former !== undefined && former.link !== link && former.instanceId !== instance_id) former.link.supersede(session_id, instance_id);
    return attachment;
  }

  /** Takes a link away; undefined when it had no place (any more). */
  detach(sessionId: string, link: OrchestratorLink): Attachment | undefined {
    const attachment = this.attachmentOf(sessionId, link);
    if (attachment !== undefined) this.#drop(sessionId, attachment);
    return attachment;
  }

  /** The journal says that an instance was attached: a link with an older lease has lost its place. */
  follow(sessionId: string, place: Place, { server, instanceId, term }: { server: unknown; instanceId: string; term: number }): void {
    const attachment = this.#attached.get(sessionId)?.[place];
    if (attachment === undefined || attachment.term >= term) return;
    if (server === this.#serverId && instanceId === attachment.instanceId) {
      attachment.term = term;
      return;
    }
    this.#drop(sessionId, attachment);
    // The same instance has come back by way of another server: it knows.
    if (instanceId !== attachment.instanceId) attachment.link.supersede(sessionId, instanceId);
  }

  /** The link to deliver commands of this type to; undefined when nobody is attached, or another server holds the link. */
  executorOf(state: SessionState, type: CommandType): Attachment | undefined {
    const executor = executorOf(state, type);
    if (executor === undefined || executor.lease.server !== this.#serverId) return undefined;
    const attached = this.#attached.get(state.session_id);
    return [attached?.delegate, attached?.primary].find((each) => each?.term === executor.lease.term);
  }

  /** The attachment of a link. */
  attachmentOf(sessionId: string, link: OrchestratorLink): Attachment | undefined {
    return this.attachmentsOf(sessionId).find((attachment) => attachment.link === link);
  }

  /** The attachments of a session. */
  attachmentsOf(sessionId: string): Attachment[] {
    const { primary, delegate } = this.#attached.get(sessionId) ?? {};
    return [primary, delegate].filter((each) => each !== undefined);
  }

  /** Tells those attached that their session was deleted. They stay: with its next event it is there again. */
  forget(sessionId: string): void {
    for (const { link, given } of this.attachmentsOf(sessionId)) {
      given.clear();
      link.forget(sessionId);
    }
  }

  /** How many sessions have an orchestrator here. */
  get size(): number {
    return this.#attached.size;
  }

  #drop(sessionId: string, attachment: Attachment): void {
    const attached = { ...this.#attached.get(sessionId) };
    delete attached[attachment.place];
    if (attached.primary === undefined && attached.delegate === undefined) this.#attached.delete(sessionId);
    else this.#attached.set(sessionId, attached);
  }
}
