import {
  isFinal,
  type CommandExecution,
  type CommandRequest,
  type CommandResult,
  type CommandResults,
  type CommandStatus,
} from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { newId } from '../../core/ids.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { AttachRequest } from '../../core/protocol/messages.ts';
import { isEnded, type CommandState, type SessionState } from '../../core/protocol/session-state.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { AppendOptions, Journal, JournalEvent, SessionHead } from '../../journal/journal.ts';
import { answerOf, elapsedMs, refusedAnswer } from './command-answer.ts';
import { CommandDeadlines } from './command-deadlines.ts';
import { effectOf } from './command-effect.ts';
import { CommandHistory } from './command-history.ts';
import { gateStatus, refusal } from './command-refusal.ts';
import { haltData, newCommand, step, unfinished, type Step } from './command-step.ts';
import { CommandWaiters } from './command-waiters.ts';
import { serverRestarted, type Detachment } from './detachment.ts';
import type { Hub } from '../sessions/hub.ts';
import { liveSessions, onlyLiveSession } from '../sessions/live-sessions.ts';
import { Orchestrators, type OrchestratorLink } from './orchestrators.ts';
import { RefusalBudget } from './refusal-budget.ts';
import { KeyedMutex } from '../keyed-mutex.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { nextTurn } from '../turns.ts';

/** Sessions that are given a command for all in one turn of the event loop. */
const sessionsPerTurn = 50;

export interface LedgerOptions {
  journal: Journal;
  store: SessionStore;
  hub: Hub;
  /** A refused command was answered and not journalled. */
  onRefusalLetGo: () => void;
  /** How many connections publish to a session now. */
  producersOf: (sessionId: string) => number;
  /** How long a command may wait to be delivered. */
  expiryMs?: number | undefined;
  onProblem: (error: unknown) => void;
}

/** Who sends a command. */
export interface CommandSender {
  /** The name that stands in the ledger. */
  by: string;
  /** The session that the connection of the sender is subscribed to, if it is just one. */
  subscribed?: string | undefined;
  /** The sessions that the sender may command. */
  mayReach: (sessionId: string) => boolean;
}

/** How a command ended, as its orchestrator says it. */
export interface CommandUpdate {
  command_id: string;
  status: 'applied' | 'failed';
  result?: unknown;
  error?: string | undefined;
}

/**
 * The life of every command, as events of its session. What is checked and written for one session happens one after
 * the other; each step has an event id made of the command's own, so that the journal itself keeps it from happening twice.
 */
export class CommandLedger {
  readonly #journal: Journal;
  readonly #store: SessionStore;
  readonly #producersOf: (sessionId: string) => number;
  readonly #expiryMs: number;
  readonly #onProblem: (error: unknown) => void;
  readonly #orchestrators = new Orchestrators();
  readonly #mutex = new KeyedMutex();
  readonly #deadlines: CommandDeadlines;
  readonly #waiters = new CommandWaiters();
  readonly #history: CommandHistory;
  readonly #refusals: RefusalBudget;

  constructor({ journal, store, hub, onRefusalLetGo, producersOf, expiryMs = limits.commandExpiryMs, onProblem }: LedgerOptions) {
    this.#refusals = new RefusalBudget(onRefusalLetGo);
    this.#journal = journal;
    this.#store = store;
    this.#producersOf = producersOf;
    this.#history = new CommandHistory(journal, store);
    this.#expiryMs = expiryMs;
    this.#onProblem = onProblem;
    this.#deadlines = new CommandDeadlines({
      expiryMs,
      onExpired: (sessionId, commandId) => this.#expire(sessionId, commandId),
      onUndecided: (sessionId, decisionId) => this.#decideByTimeout(sessionId, decisionId),
    });
    hub.onChange((change, state) => {
      if (change.kind === 'appended') this.#followChange(change.session_id, change.events, state);
      if (change.kind === 'deleted') this.#forget(change.session_id);
      if (change.kind === 'created' && state?.orchestrator === null) this.#keepOrchestrator(state.session_id);
    });
  }

  /** Takes up what a former server left: attachments that ended with it, commands and decisions with a deadline. */
  async open(): Promise<void> {
    // One that cannot be read, or written to, keeps no other from being taken up.
    for (const { head } of this.#store.all()) await this.#takeUp(head).catch(this.#onProblem);
  }

  async #takeUp(head: SessionHead): Promise<void> {
    const state = await this.#store.load(head.session_id);
    if (state === undefined) return;
    if (state.orchestrator?.attached === true) {
      await this.#append(head.session_id, [
        { type: 'orchestrator:detached', data: { instance_id: state.orchestrator.instance_id, ...serverRestarted } },
      ]);
    }
    const isOver = isEnded(state.status);
    if (isOver) await this.#failUnfinished(head.session_id);
    this.#deadlines.takeUp(head.session_id, isOver ? [] : state.commands, state.decisions);
  }

  get orchestrators(): number {
    return this.#orchestrators.size;
  }

  /**
   * Takes a command and waits for its end, at most `timeout_ms`.
   * @throws ShannonDashError INVALID, NOT_FOUND, CONFLICT (the id belongs to another command), LIMIT_REACHED
   */
  async submit(request: CommandRequest, { by, subscribed, mayReach }: CommandSender): Promise<CommandResult | CommandResults> {
    const startedAt = performance.now();
    const among = { producersOf: this.#producersOf, mayReach };
    const sessionId = request.session_id ?? subscribed ?? onlyLiveSession(this.#store, request.type, among);
    if (sessionId !== '*') return this.#submitTo(sessionId, request, by, startedAt);
    const answers: Promise<CommandResult>[] = [];
    for (const id of liveSessions(this.#store, mayReach)) {
      if (answers.length > 0 && answers.length % sessionsPerTurn === 0) await nextTurn();
      const answer = this.#submitTo(id, request, by, startedAt).catch((error: unknown) => {
        if (!(error instanceof ShannonDashError)) this.#onProblem(error);
        return refusedAnswer(id, request, error, startedAt);
      });
      answers.push(answer);
    }
    const results = await Promise.all(answers);
    return {
      success: results.every((result) => result.success),
      command_type: request.type,
      session_id: '*',
      results,
      elapsed_ms: elapsedMs(startedAt),
      timestamp: timestampNow(),
    };
  }

  /** Makes a link the session's orchestrator; answers with the fold and what is not finished, and delivers that. */
  async attach(link: OrchestratorLink, request: AttachRequest): Promise<{ epoch: string; state: SessionState; commands: CommandState[] }> {
    const sessionId = request.session_id;
    return this.#mutex.run(sessionId, async () => {
      const before = await this.#store.load(sessionId);
      const known = before?.orchestrator;
      const holder = this.#orchestrators.primaryOf(sessionId);
      if (request.reattach && request.under === undefined && known?.instance_id != null && known.instance_id !== request.instance_id) {
        throw new ShannonDashError('SUPERSEDED', `${known.instance_id} has taken over ${sessionId}`, { instance_id: known.instance_id });
      }
      const { instance_id, capabilities, under } = request;
      if (!request.take_over && under === undefined && holder !== undefined && holder.instanceId !== instance_id) {
        throw new ShannonDashError('CONFLICT', `${holder.instanceId} is attached to ${sessionId}`, { instance_id: holder.instanceId });
      }
      if (before !== undefined && under === undefined) await this.#letQueueGo(before, instance_id, holder !== undefined);
      const { epoch } = await this.#append(sessionId, [
        { type: 'orchestrator:attached', data: { instance_id, capabilities, ...(under === undefined ? {} : { under }) } },
      ]);
      // What the journal does not know has not happened: only now the one before is superseded.
      this.#orchestrators.attach(link, request);
      const state = await this.#state(sessionId);
      const commands = unfinished(state).filter(
        (command) => this.#orchestrators.executorOf(sessionId, command.command_type)?.link === link,
      );
      setImmediate(() => {
        for (const command of commands) this.#deliver(sessionId, command);
      });
      return { epoch, state, commands };
    });
  }

  /** The link is gone. */
  async detach(sessionId: string, link: OrchestratorLink, detachment: Detachment): Promise<void> {
    const detached = this.#orchestrators.detach(sessionId, link);
    // A session that was deleted meanwhile does not come back for this.
    if (detached === undefined || this.#store.get(sessionId) === undefined) return;
    const under = detached.place === 'delegate' ? { under: true } : {};
    await this.#append(sessionId, [{ type: 'orchestrator:detached', data: { instance_id: detached.instanceId, ...detachment, ...under } }]);
    const state = await this.#store.load(sessionId);
    if (state !== undefined && isEnded(state.status)) await this.#failUnfinished(sessionId);
  }

  /**
   * The orchestrator says how a command ended. Saying the same again is fine.
   * @throws ShannonDashError FORBIDDEN, NOT_FOUND, CONFLICT
   */
  async update(link: OrchestratorLink, sessionId: string, { command_id, status, result, error }: CommandUpdate): Promise<void> {
    return this.#mutex.run(sessionId, async () => {
      const attachment = this.#orchestrators.attachmentOf(sessionId, link);
      if (attachment === undefined)
        throw new ShannonDashError('FORBIDDEN', `Only the orchestrator of ${sessionId} can say how a command ended`);
      const command = await this.#history.find(sessionId, command_id);
      if (command === undefined) throw new ShannonDashError('NOT_FOUND', `Command not found: ${command_id}`);
      if (isFinal(command.status)) {
        if (command.status === status) return;
        throw new ShannonDashError('CONFLICT', `Command ${command_id} has ended already: ${command.status}`, { status: command.status });
      }
      // Who says how it ended has it, whether the acknowledgement of the delivery came before or is still on its way.
      const delivered = command.status === 'queued' ? [step(command, 'delivered', { delivered_to: attachment.instanceId })] : [];
      await this.#end(sessionId, command, status, { result, error, acknowledged_by: attachment.instanceId }, delivered);
    });
  }

  /** The commands of a session from its first one on, newest last. */
  history(sessionId: string, filter: { status?: string | undefined; limit: number }): Promise<{ commands: CommandState[]; total: number }> {
    return this.#history.list(sessionId, filter);
  }

  close(): void {
    this.#deadlines.close();
    this.#waiters.close();
  }

  async #submitTo(sessionId: string, request: CommandRequest, by: string | null, startedAt: number): Promise<CommandResult> {
    const commandId = request.command_id ?? newId();
    const command = await this.#mutex.run(sessionId, () => this.#accept(sessionId, commandId, request, by));
    // Where nobody is attached who could carry it out, waiting would not bring its end.
    const isUnderWay = command.status === 'delivered' || this.#orchestrators.executorOf(sessionId, request.type) !== undefined;
    const isWaitedFor = !isFinal(command.status) && isUnderWay;
    const end = isWaitedFor ? await this.#ended(sessionId, commandId, request.timeout_ms) : command;
    if (this.#store.get(sessionId) === undefined) throw new ShannonDashError('NOT_FOUND', `Session not found: ${sessionId}`);
    const told = await this.#history.withWholeResult(sessionId, end ?? (await this.#history.find(sessionId, commandId)) ?? command);
    const hasExecutor = this.#orchestrators.executorOf(sessionId, told.command_type) !== undefined;
    return answerOf(told, { sessionId, hasExecutor, startedAt });
  }

  /** Writes the command down, once; refuses it; or, where nobody is attached, carries out what the server can. */
  async #accept(sessionId: string, commandId: string, request: CommandRequest, by: string | null): Promise<CommandState> {
    const state = await this.#state(sessionId);
    const known = request.command_id === undefined ? undefined : await this.#history.find(sessionId, commandId);
    if (known !== undefined) {
      if (known.command_type === request.type) return known;
      throw new ShannonDashError('CONFLICT', `command_id ${commandId} is that of a ${known.command_type}`);
    }
    // What comes before the start is for whoever starts.
    const forInstance = state.started_at === null ? null : (state.orchestrator?.instance_id ?? null);
    const command = newCommand(commandId, request, by, forInstance);
    // Its sender, or who carries it out, comes first: they wait for the commit and for nothing behind it.
    const begin = (steps: readonly Step[]) => {
      const isIdNew = request.command_id === undefined;
      const begun = steps.map((each) => ({ ...each, isIdNew }));
      return this.#append(sessionId, begun, { prompt: true, resolvesFirst: true });
    };
    const refused = refusal(state, request);
    if (refused !== undefined) {
      const letGo = this.#refusals.take(sessionId);
      if (letGo !== undefined) await begin([step(command, 'rejected', { error: refused, ...(letGo === 0 ? {} : { let_go: letGo }) })]);
      return { ...command, status: 'rejected', error: refused };
    }
    const isServers = request.type === 'HALT' || request.type === 'RESUME' || request.type === 'DECISION';
    // However much waits to be carried out, there is room to stop it.
    const most = isServers ? limits.unfinishedCommands + limits.unfinishedUrgentCommands : limits.unfinishedCommands;
    const waiting = unfinished(state).length;
    if (waiting >= most) throw new ShannonDashError('LIMIT_REACHED', `${waiting} commands of ${sessionId} are not finished`);
    const isDone = request.type === 'HALT' && gateStatus(state) === 'halted';
    const executor = this.#orchestrators.executorOf(sessionId, request.type);
    const halting =
      request.type === 'HALT' && !isDone && state.status !== 'halting' ? [{ type: 'execution:halting', data: haltData(command) }] : [];
    if (isDone || (executor === undefined && isServers)) {
      const end = step(command, 'applied', { acknowledged_by: 'server' });
      await begin([step(command, 'queued'), ...halting, end, ...effectOf(state, command)]);
      return { ...command, status: 'applied', acknowledged_by: 'server' };
    }
    await begin([step(command, 'queued'), ...halting]);
    this.#deliver(sessionId, command);
    return command;
  }

  /** Gives a command to whoever is to carry it out now. Without anybody it waits for the next `attach`. */
  #deliver(sessionId: string, command: CommandState): void {
    const executor = this.#orchestrators.executorOf(sessionId, command.command_type);
    if (executor === undefined) return;
    const execution: CommandExecution = {
      ...command.parameters,
      command_id: command.command_id,
      type: command.command_type,
      session_id: sessionId,
      by: command.by,
    };
    executor.link
      .execute(execution)
      .then(
        () => this.#delivered(sessionId, command, executor.instanceId),
        // Not acknowledged: the connection is gone, and the next attach delivers it again.
        () => undefined,
      )
      .catch(this.#onProblem);
  }

  /**
   * Written with the next commit, which is most often that of the command's end: it follows at once, and nobody waits for
   * this step alone.
   */
  async #delivered(sessionId: string, command: CommandState, instanceId: string): Promise<void> {
    const current = await this.#history.find(sessionId, command.command_id);
    if (current?.status !== 'queued') return;
    await this.#append(sessionId, [step(current, 'delivered', { delivered_to: instanceId })], { prompt: false });
  }

  async #end(
    sessionId: string,
    command: CommandState,
    status: CommandStatus,
    fields: Record<string, unknown>,
    before: readonly Step[] = [],
  ): Promise<void> {
    const state = await this.#state(sessionId);
    await this.#append(sessionId, [...before, step(command, status, fields), ...(status === 'applied' ? effectOf(state, command) : [])]);
  }

  /** Nobody will carry them out: the run is over. */
  async #failUnfinished(sessionId: string): Promise<void> {
    await this.#mutex.run(sessionId, async () => {
      const state = await this.#state(sessionId);
      if (isEnded(state.status)) await this.#endAll(state, unfinished(state), 'failed', runEnded(state));
    });
  }

  /**
   * A run begins with this instance. What was meant for the run before it, or for another one of which nothing is left, it
   * never gets; what is under way with an instance that it takes over from, and what nobody has been there for yet, it does.
   */
  async #letQueueGo(state: SessionState, instanceId: string, takesOver: boolean): Promise<void> {
    if (isEnded(state.status)) {
      await this.#endAll(state, unfinished(state), 'failed', runEnded(state));
    } else if (!takesOver) {
      const isOthers = ({ for_instance }: CommandState) => for_instance !== null && for_instance !== instanceId;
      const others = unfinished(state).filter(isOthers);
      await this.#endAll(state, others, 'expired', 'The run that it was meant for is gone, and another one has begun');
    }
  }

  async #endAll(state: SessionState, commands: readonly CommandState[], status: 'failed' | 'expired', error: string): Promise<void> {
    for (const command of commands) await this.#end(state.session_id, command, status, { error, acknowledged_by: 'server' });
  }

  /** The session is deleted: nothing in it is due any more, and who waits for it waits in vain. */
  #forget(sessionId: string): void {
    this.#orchestrators.forget(sessionId);
    this.#deadlines.forget(sessionId);
    this.#waiters.forget(sessionId);
    this.#refusals.forget(sessionId);
  }

  /** A session that was deleted under its orchestrator and is there again: it has that orchestrator still. */
  #keepOrchestrator(sessionId: string): void {
    const attachment = this.#orchestrators.primaryOf(sessionId);
    if (attachment === undefined) return;
    const { instanceId: instance_id, capabilities } = attachment;
    this.#append(sessionId, [{ type: 'orchestrator:attached', data: { instance_id, capabilities } }]).catch(this.#onProblem);
  }

  #followChange(sessionId: string, events: readonly JournalEvent[], state: SessionState | undefined): void {
    if (state !== undefined) {
      this.#follow(state, events);
      return;
    }
    // It was let go, and is folded again because of these events.
    const follow = (loaded: SessionState | undefined) => loaded !== undefined && this.#follow(loaded, events);
    this.#store.load(sessionId).then(follow).catch(this.#onProblem);
  }

  /** Looks at what just happened in a session: wakes who waits, keeps deadlines. */
  #follow(state: SessionState, events: readonly JournalEvent[]): void {
    for (const { type, event } of events) {
      if (type.startsWith('command:')) {
        const command = state.commands.findLast((each) => each.command_id === event.data['command_id']);
        if (command !== undefined) this.#followCommand(state, command);
      } else if (type.startsWith('decision:')) {
        const decision = state.decisions.findLast((each) => each.decision_id === event.data['decision_id']);
        if (decision !== undefined) this.#deadlines.followDecision(state.session_id, decision);
      } else if ((type === 'execution:completed' || type === 'execution:failed') && !this.#orchestrators.has(state.session_id)) {
        this.#failUnfinished(state.session_id).catch(this.#onProblem);
      }
    }
  }

  #followCommand(state: SessionState, command: CommandState): void {
    this.#deadlines.followCommand(state.session_id, command);
    if (!isFinal(command.status)) return;
    this.#waiters.tell(state.session_id, command);
    // A decision whose deadline passed while an answer was on its way is due now if that answer failed.
    const decision = state.decisions.find(
      (each) => command.command_type === 'DECISION' && each.decision_id === command.parameters['decision_id'],
    );
    if (decision !== undefined) this.#deadlines.followDecision(state.session_id, decision);
  }

  #expire(sessionId: string, commandId: string): void {
    this.#mutex
      .run(sessionId, async () => {
        const command = await this.#history.find(sessionId, commandId);
        if (command?.status !== 'queued') return;
        await this.#end(sessionId, command, 'expired', { error: `It was not delivered within ${this.#expiryMs / 1_000} s` });
      })
      .catch((error: unknown) => {
        this.#onProblem(error);
        this.#deadlines.tryAgain(sessionId, commandId, () => this.#expire(sessionId, commandId));
      });
  }

  #decideByTimeout(sessionId: string, decisionId: string): void {
    this.#mutex
      .run(sessionId, async () => {
        if (this.#store.get(sessionId) === undefined) return;
        const state = await this.#state(sessionId);
        const decision = state.decisions.find((each) => each.decision_id === decisionId);
        if (decision?.status !== 'open' || decision.default === null) return;
        // An answer on its way came first; if it fails, this comes again.
        if (unfinished(state).some((each) => each.command_type === 'DECISION' && each.parameters['decision_id'] === decisionId)) return;
        await this.#append(sessionId, [
          { type: 'decision:made', data: { decision_id: decisionId, choice: decision.default, made_by: 'timeout' } },
        ]);
      })
      .catch((error: unknown) => {
        this.#onProblem(error);
        this.#deadlines.tryAgain(sessionId, decisionId, () => this.#decideByTimeout(sessionId, decisionId));
      });
  }

  #ended(sessionId: string, commandId: string, timeoutMs: number): Promise<CommandState | undefined> {
    const ended = this.#waiters.wait(sessionId, commandId, timeoutMs);
    // It may have ended before anybody waited.
    const current = this.#store.get(sessionId)?.state?.commands.findLast((each) => each.command_id === commandId);
    if (current !== undefined && isFinal(current.status)) this.#waiters.tell(sessionId, current);
    return ended;
  }

  /**
   * The state to decide on. What waits for its commit is committed first, or it would come between the state and what is
   * decided on it. @throws ShannonDashError NOT_FOUND
   */
  async #state(sessionId: string): Promise<SessionState> {
    const inMemory = () => this.#store.get(sessionId)?.state;
    // Where it has to be folded anew, more comes in meanwhile.
    if (inMemory() === undefined) await this.#store.load(sessionId);
    this.#journal.flush();
    const state = inMemory() ?? (await this.#store.load(sessionId));
    if (state === undefined) throw new ShannonDashError('NOT_FOUND', `Session not found: ${sessionId}`);
    return state;
  }

  #append(sessionId: string, events: readonly Step[], options: AppendOptions = { prompt: true }) {
    const timestamp = timestampNow();
    return this.#journal.append(
      sessionId,
      events.map((event) => ({ ...event, timestamp })),
      options,
    );
  }
}

function runEnded({ status }: SessionState): string {
  return `The run ended (${status}) before this was carried out`;
}
