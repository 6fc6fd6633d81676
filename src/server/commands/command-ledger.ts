import { isFinal, type CommandRequest, type CommandResult, type CommandResults, type ResendRequest } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { newId } from '../../core/ids.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { AttachRequest } from '../../core/protocol/messages.ts';
import type { CommandState } from '../../core/protocol/session-state.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { Journal } from '../../journal/journal.ts';
import { KeyedMutex } from '../keyed-mutex.ts';
import type { Hub } from '../sessions/watching/hub.ts';
import { liveSessions, onlyLiveSession } from '../sessions/live-sessions.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { nextTurn } from '../turns.ts';
import { UnderWay } from '../under-way.ts';
import { executorOf } from '../../core/fold/executor.ts';
import { Attaching, type Attached } from './attachment/attaching.ts';
import type { Claim } from './attachment/lease.ts';
import { CommandAccept } from './command-accept.ts';
import { answerOf, elapsedMs, refusedAnswer } from './rules/command-answer.ts';
import { CommandDeadlines } from './command-deadlines.ts';
import { CommandDelivery, type CommandUpdate } from './command-delivery.ts';
import { CommandDue } from './command-due.ts';
import { CommandHistory } from './command-history.ts';
import { cancelCommand, sentAgain, type Canceller } from './command-recall.ts';
import { CommandWaiters } from './command-waiters.ts';
import type { Detachment } from './attachment/detachment.ts';
import { JournalFollower } from './journal-follower.ts';
import type { LedgerParts } from './ledger-parts.ts';
import { Orchestrators, type OrchestratorLink } from './attachment/orchestrators.ts';
import { RefusalBudget } from './refusal-budget.ts';
import { StateWriter } from './state-writer.ts';
import { TakeUp } from './take-up.ts';

/** A command for all sessions is given to so many of them in one turn of the event loop. */
const sessionsPerTurn = 50;

export interface LedgerOptions {
  journal: Journal;
  store: SessionStore;
  hub: Hub;
  /** The id of this server, by which the journal knows whose attachments are still held. */
  serverId: string;
  /** A refused command was answered and not journalled. */
  onRefusalLetGo: () => void;
  /** A session has fallen to this server, as whoever wrote to it last is gone. */
  onInCare: (sessionId: string) => void;
  /** How many connections publish to a session now. */
  producersOf: (sessionId: string) => number;
  /** How long a command may wait to be delivered. */
  expiryMs?: number | undefined;
  onProblem: (error: unknown) => void;
}

/** The sender of a command. */
export interface CommandSender {
  /** The name that stands in the ledger. */
  by: string;
  /** The role and the address, which stand there too. */
  from: CommandState['from'];
  /** The session that the connection of the sender is subscribed to, if it is just one. */
  subscribed?: string | undefined;
  /** The sessions that the sender may command. */
  mayReach: (sessionId: string) => boolean;
}

/**
 * The life of every command, as events of its session. The ledger follows the journal: to accept a command is to write it;
 * the feed of the journal brings it to the server that holds the orchestrator's link, be it this one or another. Each step
 * has an event id made of the command's own, so that the journal itself keeps it from happening twice.
 */
export class CommandLedger {
  readonly #parts: LedgerParts;
  readonly #producersOf: (sessionId: string) => number;
  readonly #accept: CommandAccept;
  readonly #delivery: CommandDelivery;
  readonly #attaching: Attaching;
  readonly #takeUp: TakeUp;
  readonly #detaching = new UnderWay();
  readonly #options: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.#options = options;
    const { journal, store, hub, serverId, onRefusalLetGo, producersOf, expiryMs = limits.commandExpiryMs, onProblem } = options;
    const deadlines = new CommandDeadlines({
      expiryMs,
      onExpired: (sessionId, commandId) => due.expire(sessionId, commandId),
      onUndecided: (sessionId, decisionId) => due.decideByTimeout(sessionId, decisionId),
    });
    this.#parts = {
      serverId,
      store,
      writer: new StateWriter(journal, store),
      mutex: new KeyedMutex(),
      orchestrators: new Orchestrators(serverId),
      history: new CommandHistory(journal, store),
      deadlines,
      waiters: new CommandWaiters(),
      onProblem,
    };
    this.#producersOf = producersOf;
    const refusals = new RefusalBudget(onRefusalLetGo);
    const due = new CommandDue(this.#parts, expiryMs);
    this.#accept = new CommandAccept(this.#parts, refusals);
    this.#delivery = new CommandDelivery(this.#parts);
    this.#attaching = new Attaching(this.#parts, this.#delivery);
    this.#takeUp = new TakeUp({ ...this.#parts, journal, hub, due, onInCare: options.onInCare });
    hub.interest.add((sessionId) => this.#parts.orchestrators.attachmentsOf(sessionId).length > 0);
    const follower = new JournalFollower({ ...this.#parts, delivery: this.#delivery, attaching: this.#attaching, due, refusals });
    hub.onChange((change, state) => follower.take(change, state));
  }

  /** Begins to take up what other servers left. */
  open(): void {
    this.#takeUp.open();
  }

  /** Resolves once the ledger has taken up what other servers left in a session, or in all sessions. To be awaited before a state is shown. */
  async ready(sessionId?: string): Promise<void> {
    if (sessionId === undefined) return this.#takeUp.all();
    await this.#refresh(sessionId);
    return this.#takeUp.session(sessionId);
  }

  /** Resolves once what has fallen to this server is taken up, as far as that is known. */
  settled(): Promise<void> {
    return this.#takeUp.inCare();
  }

  /** What one server has acknowledged is there for who asks another one. */
  async #refresh(sessionId: string): Promise<void> {
    const { journal, hub } = this.#options;
    const isShared = journal.inCareOf !== undefined && journal.servers().size > 1;
    // While the journal cannot be reached, what is known is the newest that there is.
    if (isShared && journal.health().isWritable) await hub.refresh(sessionId).catch(() => undefined);
  }

  /** How many requests wait for the end of a command. */
  get waiting(): number {
    return this.#parts.waiters.size;
  }

  /** How many commands and decisions have a deadline to come. */
  get due(): number {
    return this.#parts.deadlines.size;
  }

  get orchestrators(): number {
    return this.#parts.orchestrators.size;
  }

  /**
   * Takes a command and waits for its end, at most `timeout_ms`.
   * @throws ShannonDashError INVALID, NOT_FOUND, CONFLICT (the id belongs to another command), LIMIT_REACHED
   */
  async submit(request: CommandRequest, sender: CommandSender): Promise<CommandResult | CommandResults> {
    const startedAt = performance.now();
    const { store } = this.#parts;
    const named = request.session_id ?? sender.subscribed;
    if (named === undefined || named === '*') await this.ready();
    const among = { producersOf: this.#producersOf, mayReach: sender.mayReach };
    const sessionId = named ?? onlyLiveSession(store, request.type, among);
    if (sessionId === '*') return this.#submitToAll(request, sender, startedAt);
    return this.#submitTo(sessionId, request, { sender, startedAt });
  }

  /** Sends a command again, and waits as `submit`. @throws ShannonDashError as `sentAgain` and `submit` */
  async resend(
    request: ResendRequest,
    sender: Pick<CommandSender, 'by' | 'from'>,
    check: (command: CommandState) => void,
  ): Promise<CommandResult> {
    const startedAt = performance.now();
    const { session_id, resend_of } = request;
    await this.ready(session_id);
    return this.#submitTo(session_id, await sentAgain(this.#parts, request, check), { sender, startedAt, resendOf: resend_of });
  }

  /** As `cancelCommand`. */
  async cancel(
    place: { sessionId: string; commandId: string },
    canceller: Canceller,
    check: (command: CommandState) => void,
  ): Promise<CommandState> {
    await this.ready(place.sessionId);
    return cancelCommand(this.#parts, place, canceller, check);
  }

  /** As `Attaching.attach`. */
  async attach(link: OrchestratorLink, request: AttachRequest, claim: Claim): Promise<Attached> {
    return this.#held(request.session_id, async () => {
      await this.ready(request.session_id);
      return this.#attaching.attach(link, request, claim);
    });
  }

  /** As `Attaching.detach`. */
  detach(sessionId: string, link: OrchestratorLink, detachment: Detachment): Promise<void> {
    return this.#detaching.add(this.#attaching.detach(sessionId, link, detachment));
  }

  /** As `CommandDelivery.update`. */
  update(link: OrchestratorLink, sessionId: string, update: CommandUpdate): Promise<void> {
    return this.#delivery.update(link, sessionId, update);
  }

  /** The commands of a session from its first one on, newest last. */
  async history(
    sessionId: string,
    filter: { status?: string | undefined; limit: number },
  ): Promise<{ commands: CommandState[]; total: number }> {
    await this.ready(sessionId);
    return this.#parts.history.list(sessionId, filter);
  }

  /** Every command of a session, newest last, with the beginnings of large results. */
  async commandsOf(sessionId: string): Promise<readonly CommandState[]> {
    return this.#parts.history.all(sessionId);
  }

  async close(): Promise<void> {
    this.#parts.deadlines.close();
    this.#parts.waiters.close();
    await this.#takeUp.close();
    // The connections of a server that stops have ended a moment ago.
    await this.#detaching.settled();
  }

  async #submitToAll(request: CommandRequest, sender: CommandSender, startedAt: number): Promise<CommandResults> {
    const answers: Promise<CommandResult>[] = [];
    for (const id of liveSessions(this.#parts.store, sender.mayReach)) {
      if (answers.length > 0 && answers.length % sessionsPerTurn === 0) await nextTurn();
      const answer = this.#submitTo(id, request, { sender, startedAt }).catch((error: unknown) => {
        if (!(error instanceof ShannonDashError)) this.#parts.onProblem(error);
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

  /** Does something with a session that is followed meanwhile. */
  #held<Result>(sessionId: string, work: () => Promise<Result>): Promise<Result> {
    const release = this.#options.hub.interest.hold(sessionId);
    return work().finally(release);
  }

  #submitTo(
    sessionId: string,
    request: CommandRequest,
    sent: { sender: Pick<CommandSender, 'by' | 'from'>; startedAt: number; resendOf?: string },
  ): Promise<CommandResult> {
    return this.#held(sessionId, () => this.#submitFollowed(sessionId, request, sent));
  }

  async #submitFollowed(
    sessionId: string,
    request: CommandRequest,
    { sender, startedAt, resendOf }: { sender: Pick<CommandSender, 'by' | 'from'>; startedAt: number; resendOf?: string },
  ): Promise<CommandResult> {
    const { store, history } = this.#parts;
    await this.ready(sessionId);
    const commandId = request.command_id ?? newId();
    const command = await this.#accept.accept(sessionId, { commandId, request, sender, resendOf });
    // Without an orchestrator that could carry the command out, waiting would not bring its end.
    const isWaitedFor = !isFinal(command.status) && (command.status === 'delivered' || (await this.#hasExecutor(sessionId, command)));
    const end = isWaitedFor ? await this.#ended(sessionId, commandId, request.timeout_ms) : command;
    if (store.get(sessionId) === undefined) throw new ShannonDashError('NOT_FOUND', `Session not found: ${sessionId}`);
    const told = await history.withWholeResult(sessionId, end ?? (await history.find(sessionId, commandId)) ?? command);
    return answerOf(told, { sessionId, hasExecutor: await this.#hasExecutor(sessionId, told), startedAt });
  }

  async #hasExecutor(sessionId: string, { command_type }: CommandState): Promise<boolean> {
    const state = await this.#parts.store.load(sessionId);
    return state !== undefined && executorOf(state, command_type) !== undefined;
  }

  #ended(sessionId: string, commandId: string, timeoutMs: number): Promise<CommandState | undefined> {
    const { store, waiters } = this.#parts;
    const ended = waiters.wait(sessionId, commandId, timeoutMs);
    // The command may have ended before this began to wait.
    const current = store.get(sessionId)?.state?.commands.findLast((each) => each.command_id === commandId);
    if (current !== undefined && isFinal(current.status)) waiters.tell(sessionId, current);
    return ended;
  }
}
