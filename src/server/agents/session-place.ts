import { isOfHook, leave } from '../../adapters/events/decisions.ts';
import type { Told } from '../../adapters/events/told.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { initialState, type SessionState } from '../../core/protocol/session-state.ts';
import type { Detachment } from '../commands/attachment/detachment.ts';
import type { CommandUpdate } from '../commands/command-delivery.ts';
import type { OrchestratorLink } from '../commands/attachment/orchestrators.ts';
import type { Subscription } from '../sessions/watching/watcher.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import { isHeard, JournalEar } from './journal-ear.ts';

export interface SessionPlaceOptions {
  sessionId: string;
  link: OrchestratorLink;
  instanceId: string;
  capabilities: string[];
  /** The instance of the `run` above it, where the session is that of a `run`. */
  run: string | undefined;
  /** Something has happened in the session that changes how hooks are answered. */
  onChange: () => void;
}

/** An agent's place in its session: attached as the orchestrator, or under `run`, and what the session is now. */
export class SessionPlace {
  /** As it was when it was last looked at. */
  state: SessionState;
  /** What the caller of the last hook may do, of those that may publish here. */
  access: WorkspaceAccess;
  readonly #options: SessionPlaceOptions;
  #attaching: Promise<void> | undefined;
  #subscription: Subscription | undefined;

  constructor(access: WorkspaceAccess, options: SessionPlaceOptions) {
    this.access = access;
    this.#options = options;
    this.state = initialState({ session_id: options.sessionId, created_at: new Date().toISOString() });
  }

  /** Whether the session has an event yet. */
  get exists(): boolean {
    return this.state.seq > 0;
  }

  /**
   * Attaches, unless it is attached. The place of another one is not taken from it: then commands go there, and the agent is held and let
   * go as the session says.
   */
  async #stayAttached(): Promise<void> {
    const { sessionId, onChange } = this.#options;
    this.#subscription ??= await this.access.watch(sessionId, new JournalEar(onChange), { filter: isHeard });
    this.#attaching ??= this.#attach().catch((error: unknown) => {
      this.#attaching = undefined;
      if (!(error instanceof ShannonDashError) || (error.code !== 'CONFLICT' && error.code !== 'SUPERSEDED')) throw error;
    });
    await this.#attaching;
  }

  /**
   * A caller fires a hook: it acts for the agent from now on, if it may.
   * @throws ShannonDashError FORBIDDEN, NOT_FOUND, UNAUTHENTICATED
   */
  async enter(access: WorkspaceAccess): Promise<void> {
    await access.checkPublish(this.#options.sessionId);
    this.access = access;
    await this.#stayAttached();
    await this.look();
  }

  /** Another one has the place. */
  lose(): void {
    this.#attaching = undefined;
  }

  async leave(detachment: Detachment): Promise<void> {
    const wasAttached = this.#attaching !== undefined;
    this.close();
    if (wasAttached) await this.access.detach(this.#options.sessionId, this.#options.link, detachment);
  }

  close(): void {
    this.#attaching = undefined;
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  async publish(events: readonly Told[]): Promise<void> {
    if (events.length === 0) return;
    await this.access.publish({ session_id: this.#options.sessionId, events }, { wantsAnswer: true });
    await this.look();
  }

  async update(update: CommandUpdate): Promise<void> {
    await this.access.update(this.#options.link, this.#options.sessionId, update);
  }

  /** Looks what the session is now. */
  async look(): Promise<void> {
    try {
      this.state = await this.access.state(this.#options.sessionId);
    } catch (error) {
      if (!(error instanceof ShannonDashError) || error.code !== 'NOT_FOUND') throw error;
    }
  }

  async #attach(): Promise<void> {
    const { sessionId: session_id, link, instanceId: instance_id, capabilities, run } = this.#options;
    if (run !== undefined) {
      await this.look();
      const { delegate } = this.state;
      if (delegate !== null && delegate.instance_id !== instance_id)
        throw new ShannonDashError('CONFLICT', `${session_id} has a program under its orchestrator`);
    }
    const request = { session_id, instance_id, capabilities, reattach: false, take_over: false };
    const { state } = await this.access.attach(link, { ...request, ...(run === undefined ? {} : { under: run }) });
    this.state = state;
    // A hook that waited for an answer has lost its server: the agent has asked at its own prompt since.
    const orphans = state.decisions.filter((each) => each.status === 'open' && isOfHook(each));
    const why = { made_by: 'server', comment: 'the hook that waited for it is gone; the prompt of the agent asks now' };
    await this.publish(orphans.map(({ decision_id }) => ({ type: 'decision:made', data: { decision_id, choice: leave, ...why } })));
  }
}
