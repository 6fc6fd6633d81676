import type { AttachRequest } from '../../core/protocol/messages.ts';
import type { CommandExecution, CommandType } from '../../core/protocol/command.ts';

/** The way to an orchestrator's process. */
export interface OrchestratorLink {
  /** Resolves when the process has the command; rejects when that cannot be known. */
  execute(command: CommandExecution): Promise<void>;
  /** Another instance has taken the session over. */
  supersede(sessionId: string, by: string): void;
  /** The session was deleted: nobody can let go on any more what was halted in it. */
  forget(sessionId: string): void;
}

export interface Attachment {
  link: OrchestratorLink;
  instanceId: string;
  capabilities: readonly string[];
}

interface Attached {
  primary?: Attachment | undefined;
  /** A program under a supervising one (`run`): takes the commands of its capabilities, the supervisor the rest. */
  delegate?: Attachment | undefined;
}

/** Who carries out commands now: one orchestrator a session, the newest; the one before is fenced off. */
export class Orchestrators {
  readonly #attached = new Map<string, Attached>();

  /** Puts a link in its place and supersedes the one that was there. */
  attach(link: OrchestratorLink, { session_id, instance_id, capabilities, under }: AttachRequest): void {
    const attached = this.#attached.get(session_id) ?? {};
    const place = under === undefined ? 'primary' : 'delegate';
    const former = attached[place];
    attached[place] = { link, instanceId: instance_id, capabilities };
    this.#attached.set(session_id, attached);
    if (former !== undefined && former.link !== link && former.instanceId !== instance_id) former.link.supersede(session_id, instance_id);
  }

  /** Takes a link away; tells which place it had. Undefined when it had none (any more). */
  detach(sessionId: string, link: OrchestratorLink): { place: 'primary' | 'delegate'; instanceId: string } | undefined {
    const attached = this.#attached.get(sessionId);
    for (const place of ['primary', 'delegate'] as const) {
      const attachment = attached?.[place];
      if (attached === undefined || attachment?.link !== link) continue;
      attached[place] = undefined;
      if (attached.primary === undefined && attached.delegate === undefined) this.#attached.delete(sessionId);
      return { place, instanceId: attachment.instanceId };
    }
    return undefined;
  }

  /** Who takes commands of this type; undefined when nobody is attached. */
  executorOf(sessionId: string, type: CommandType): Attachment | undefined {
    const { primary, delegate } = this.#attached.get(sessionId) ?? {};
    return delegate?.capabilities.includes(type) === true ? delegate : primary;
  }

  /** Whether anybody is attached. */
  has(sessionId: string): boolean {
    return this.#attached.has(sessionId);
  }

  primaryOf(sessionId: string): Attachment | undefined {
    return this.#attached.get(sessionId)?.primary;
  }

  /** Tells those attached that their session was deleted. They stay: with its next event it is there again. */
  forget(sessionId: string): void {
    const { primary, delegate } = this.#attached.get(sessionId) ?? {};
    for (const attachment of [primary, delegate]) attachment?.link.forget(sessionId);
  }

  /** The attachment of a link. */
  attachmentOf(sessionId: string, link: OrchestratorLink): Attachment | undefined {
    const { primary, delegate } = this.#attached.get(sessionId) ?? {};
    return primary?.link === link ? primary : delegate?.link === link ? delegate : undefined;
  }

  get size(): number {
    return this.#attached.size;
  }
}
