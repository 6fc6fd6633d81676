import { decisionIdsOf, isAsking, leave } from '../../adapters/events/decisions.ts';
import { deniedEvents } from '../../adapters/events/call-events.ts';
import { eventsOf } from '../../adapters/events/session-events.ts';
import type { Told } from '../../adapters/events/told.ts';
import { takes } from '../../adapters/adapter.ts';
import { nothing, type Answer } from '../../adapters/answer.ts';
import type { CommandExecution } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { newId } from '../../core/ids.ts';
import { agentLimits } from '../../core/protocol/limits.ts';
import { isEnded, type SessionState } from '../../core/protocol/session-state.ts';
import type { Detachment } from '../commands/attachment/detachment.ts';
import type { OrchestratorLink } from '../commands/attachment/orchestrators.ts';
import { AgentCheckpoints } from './agent-checkpoints.ts';
import { AgentCommands } from './agent-commands.ts';
import { AgentNames } from './agent-names.ts';
import { CallNames } from './call-names.ts';
import { HeldHook, unheldAnswer } from './held-hook.ts';
import type { HookReply, HookRequest } from './hook-request.ts';
import { SessionPlace } from './session-place.ts';
import { backgroundAfter } from './standstill.ts';
import type { Going } from './waiting-commands.ts';
import type { OpenWorkTreeCheckpoints } from './work-tree-checkpoints.ts';

export interface AttendedSessionOptions {
  sessionId: string;
  /** The first hook that was heard of it. */
  first: HookRequest;
  /** Looks up the git branch of a folder. */
  branchOf: (folder: string) => string | undefined;
  onProblem: (error: unknown) => void;
  /** The longest that a hook is held, where that is less than its agent waits. */
  mostHoldMs?: number | undefined;
  openCheckpoints?: OpenWorkTreeCheckpoints | undefined;
  /** Nobody has to attend it any more. */
  onEnd: () => void;
}

/** Errors that say that the caller may not: they are its answer. After any other the agent is held or let go as the state says. */
const denials: ReadonlySet<string> = new Set(['FORBIDDEN', 'NOT_FOUND', 'UNAUTHENTICATED']);

/**
 * A session of a coding agent, attended by the server itself: what the agent says by its hooks is published, and commands are carried
 * out by what the hooks are answered. It keeps nothing that the journal does not tell, but for the hooks that wait and the answers on their
 * way: after a restart of the server the next hook takes the session up again.
 */
export class AttendedSession implements OrchestratorLink {
  readonly sessionId: string;
  readonly #options: AttendedSessionOptions;
  readonly #commands: AgentCommands;
  readonly #names: AgentNames;
  readonly #checkpoints: AgentCheckpoints;
  readonly #calls = new CallNames();
  readonly #held = new Set<HeldHook>();
  /** What works without an agent, as the last end of a turn has told; undefined since the session's own agent works again. */
  #background: string[] | undefined;
  readonly #place: SessionPlace;
  #isClosed = false;
  #unanswered = 0;
  /** The hooks are heard one after the other, each on the state that the one before has made. */
  #turn: Promise<unknown> = Promise.resolve();
  /** By the monotonic clock. */
  heardAtMs = performance.now();
  pid: number | undefined;

  constructor(options: AttendedSessionOptions) {
    this.sessionId = options.sessionId;
    this.#options = options;
    this.#names = new AgentNames(options.first);
    this.#checkpoints = new AgentCheckpoints({
      sessionId: options.sessionId,
      open: options.openCheckpoints,
      publish: (events) => this.#place.publish(events),
      onProblem: options.onProblem,
    });
    this.#commands = new AgentCommands({
      adapter: options.first.adapter,
      held: () => this.#held,
      state: () => this.#state,
      background: () => this.#background,
      update: (update) => this.#place.update(update),
      look: () => this.#look(),
      checkpoints: this.#checkpoints,
    });
    this.#place = new SessionPlace(options.first.access, {
      sessionId: options.sessionId,
      link: this,
      instanceId: options.first.adapter.agent,
      capabilities: this.#commands.capabilities(options.first.under?.run !== undefined),
      run: options.first.under?.run,
      onChange: () => void this.#look().catch(options.onProblem),
    });
  }

  /** Whether a hook waits for its answer here, so that its agent is there for certain. */
  get isBusy(): boolean {
    return this.#unanswered > 0;
  }

  /** Takes a hook, and resolves when it is to be answered. @throws ShannonDashError FORBIDDEN, NOT_FOUND, UNAUTHENTICATED */
  async take(request: HookRequest): Promise<HookReply> {
    this.heardAtMs = performance.now();
    this.#unanswered++;
    try {
      return await this.#answered({ ...request, signal: this.#calls.named(request.signal, request.adapter) });
    } finally {
      this.#unanswered--;
    }
  }

  async #answered(hook: HookRequest): Promise<HookReply> {
    const callId = ('tool' in hook.signal ? hook.signal.tool.id : null) ?? newId();
    let isTold = true;
    const next = this.#turn.then(() => this.#listen(hook, callId));
    this.#turn = next.catch(() => undefined);
    const reply = await next.catch((error: unknown) => {
      if (error instanceof ShannonDashError && denials.has(error.code)) {
        if (!this.#place.exists) this.#end();
        throw error;
      }
      this.#options.onProblem(error);
      isTold = false;
      return undefined;
    });
    return reply ?? (this.#holdMs(hook) === 0 ? this.#reply(nothing, []) : this.#hold(hook, isTold ? callId : undefined));
  }

  async execute(command: CommandExecution): Promise<void> {
    // Said to be delivered first: its end follows.
    setImmediate(() => void this.#commands.take(command).catch(this.#options.onProblem));
  }

  supersede(): void {
    this.#place.lose();
  }

  /** The session was deleted: nobody can resume it any more. */
  forget(): void {
    for (const held of this.#held) this.#release(held, nothing, []);
    this.#place.close();
    this.#end();
    void this.#checkpoints.close().catch(this.#options.onProblem);
  }

  /** Lets go of the session. What is held is answered: by a denial where it is halted, so that it stays so. */
  async leave(detachment: Detachment): Promise<void> {
    this.#letGo();
    // What is just heard is heard to its end, lest it attach again behind this.
    await this.#turn;
    await this.#depart(detachment);
  }

  #letGo(): void {
    for (const held of this.#held) this.#release(held, unheldAnswer(held.request, this.#state), []);
    this.#end();
  }

  async #depart(detachment: Detachment): Promise<void> {
    await this.#checkpoints.close();
    await this.#place.leave(detachment);
  }

  /** Whether the session is the agent's own: no `run` begins and ends it. */
  get #isOwn(): boolean {
    return this.#options.first.under?.run === undefined;
  }

  get #state(): SessionState {
    return this.#place.state;
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onEnd();
  }

  /** Publishes what a hook says. @returns the reply, where it is made already; undefined: the hook may have to be held */
  async #listen(hook: HookRequest, callId: string): Promise<HookReply | undefined> {
    const { signal, adapter } = hook;
    // It came while the session was let go.
    if (this.#isClosed) return this.#reply(unheldAnswer(hook, this.#state), []);
    await this.#place.enter(hook.access);
    this.pid = hook.pid ?? this.pid;
    // An end of a turn that will not be one is not told as one.
    const isGoOn = takes(adapter, signal, 'go-on') && !this.#isGateClosed();
    const next = isGoOn ? this.#commands.next(hook) : undefined;
    const branch = (this.#options.first.isLocal && signal.cwd !== null ? this.#options.branchOf(signal.cwd) : undefined) ?? null;
    const events = eventsOf(signal, {
      agent: adapter.agent,
      state: this.#place.exists ? this.#state : undefined,
      self: this.#names.of(signal, adapter, this.#state),
      isOwnSession: this.#isOwn,
      callId,
      holdMs: Math.max(1, this.#holdMs(hook) - decisionMarginMs),
      branch,
    });
    const isIdling = ({ type }: Told) => type === 'agent:waiting' || type === 'execution:progress';
    await this.#place.publish(next === undefined || next.going.length === 0 ? events : events.filter((each) => !isIdling(each)));
    if (signal.agentId === null) this.#background = backgroundAfter(signal, this.#background);
    await this.#checkpoints.before(hook, this.#state);
    this.#commands.review();
    if (signal.kind === 'session-ended' && this.#isOwn) {
      this.#letGo();
      await this.#depart({ code: 'left', reason: 'the session of the agent has ended' });
      return this.#reply(nothing, []);
    }
    if (next !== undefined) return this.#reply(next.answer, next.going, { lost: events.filter(isIdling) });
    return this.#holdMs(hook) === 0 ? this.#replyNow(hook) : undefined;
  }

  #replyNow(hook: HookRequest): HookReply {
    if (this.#isGateClosed()) return this.#reply(nothing, []);
    const { answer, going } = this.#commands.next(hook);
    return this.#reply(answer, going);
  }

  /** Holds a hook until it may be answered. @param callId undefined: what it asks could not be journalled, so nobody can answer it */
  async #hold(hook: HookRequest, callId: string | undefined): Promise<HookReply> {
    const { signal } = hook;
    if (hook.gone.aborted) return this.#reply(nothing, []);
    if (this.#isClosed || this.#held.size >= agentLimits.heldHooks) return this.#reply(unheldAnswer(hook, this.#state), []);
    const self = this.#names.of(signal, hook.adapter, this.#state);
    const held = new HeldHook(hook, {
      agentId: signal.agentId ?? self,
      decisionIds: isAsking(signal) && callId !== undefined ? decisionIdsOf(signal, callId) : [],
      holdMs: this.#holdMs(hook),
      onDeadline: () => this.#release(held, unheldAnswer(hook, this.#state), []),
    });
    this.#held.add(held);
    const onGone = () => void this.#lose(held).catch(this.#options.onProblem);
    hook.gone.addEventListener('abort', onGone, { once: true });
    await this.#look();
    const { answer, going } = await held.ended;
    hook.gone.removeEventListener('abort', onGone);
    return this.#reply(answer, going, { taken: deniedEvents(signal, answer, held.agentId) });
  }

  /** The agent does not wait for a hook any more: its own prompt was answered, or it is gone. */
  async #lose(held: HeldHook): Promise<void> {
    this.#release(held, nothing, []);
    await this.#commands.tooLate(held);
    const open = held.decisionIds.filter((id) => this.#state.decisions.some((each) => each.decision_id === id && each.status === 'open'));
    await this.#place.publish(
      open.map((decision_id) => ({ type: 'decision:made', data: { decision_id, choice: leave, made_by: 'terminal' } })),
    );
  }

  #release(held: HeldHook, answer: Answer, going: Going[]): void {
    if (!this.#held.delete(held)) return;
    held.end({ answer, going });
  }

  /** Answers the held hooks that may be answered now. */
  #settle(): void {
    const isClosed = this.#isGateClosed();
    for (const held of this.#held) {
      const answer = held.decided(this.#state);
      if (answer === undefined) continue;
      if (isAsking(held.request.signal)) {
        const isRefusal = answer.kind === 'deny' || (answer.kind === 'plan' && !answer.isApproved);
        if (isClosed && !isRefusal) continue;
        this.#release(held, answer, this.#commands.choicesOf(held));
      } else if (!isClosed) {
        const next = this.#commands.next(held.request);
        this.#release(held, next.answer, next.going);
      }
    }
  }

  /** Looks at the session again, because something has happened in it. */
  async #look(): Promise<void> {
    await this.#place.look();
    if (isEnded(this.#state.status) && this.#isOwn) for (const held of this.#held) this.#release(held, nothing, []);
    this.#settle();
    this.#commands.review();
  }

  #reply(answer: Answer, going: readonly Going[], after: { taken?: readonly Told[]; lost?: readonly Told[] } = {}): HookReply {
    return {
      answer,
      onSent: (isTaken) => {
        const told = this.#place.publish((isTaken ? after.taken : after.lost) ?? []);
        Promise.all([told, this.#commands.sent(going, isTaken)]).catch(this.#options.onProblem);
      },
    };
  }

  #isGateClosed(): boolean {
    return this.#state.halt !== null || this.#commands.isRollingBack;
  }

  #holdMs({ adapter, signal }: HookRequest): number {
    return Math.min(adapter.events[signal.event]?.holdMs ?? 0, this.#options.mostHoldMs ?? Infinity);
  }
}

/** A decision is left to the agent's own prompt so long before its hook can be held no longer. */
const decisionMarginMs = 2_000;
