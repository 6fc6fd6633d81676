import type { CommandType } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { EventData, KnownEventType } from '../../core/protocol/event-table.ts';
import { randomName, sessionId } from '../../core/ids.ts';
import type { AttachedMessage } from '../../core/protocol/messages.ts';
import { parse } from '../../core/json/parse.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { Attachment } from './attachment.ts';
import { CheckpointDesk } from './checkpoint-desk.ts';
import { checkpointProof } from './checkpoint-proof.ts';
import { CommandInbox, type CommandHandler } from './command-inbox.ts';
import { asShannonDashError } from '../connection/connect-failure.ts';
import { openConnection, type Connection, type ConnectionState } from '../connection/connection.ts';
import { DecisionDesk, type Decided, type DecideOptions } from './decision-desk.ts';
import { emitWithValue } from './emit-with-value.ts';
import { readEnvironment } from '../environment.ts';
import { Gate } from './gate.ts';
import { Listeners } from '../connection/listeners.ts';
import type {
  AgentHandle,
  CheckpointOptions,
  Orchestrator,
  OrchestratorOptions,
  ReceivedCommand,
  SkillContext,
  SkillOptions,
} from './orchestrator-contract.ts';
import { Outbox, type Problem, type Published, type PublishOptions } from './outbox.ts';
import { Reach } from '../connection/reach.ts';
import { runSkill } from './run-skill.ts';
import { announceAgent, type AgentOptions } from './announced-agent.ts';
import { listenToAnswers } from './answer-listener.ts';
import type { SessionWatcher } from '../watcher/session-watcher.ts';

/** What the SDK carries out without a handler. */
const builtIn: CommandType[] = ['HALT', 'RESUME', 'DECISION'];

/** The parts of an orchestrator, put together. */
export class OrchestratorRun implements Orchestrator {
  readonly session: string;
  readonly instanceId: string;
  readonly #options: OrchestratorOptions;
  /** The instance that supervises this one; HALT and RESUME are its work. */
  readonly #under: string | undefined;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #reach: Reach;
  readonly #gate: Gate;
  readonly #desk: DecisionDesk;
  readonly #checkpoints = new CheckpointDesk();
  readonly #inbox: CommandInbox;
  readonly #attachment: Attachment;
  readonly #superseded = new Listeners<ShannonDashError>();
  readonly #deleted = new Listeners<void>();
  #ear: SessionWatcher | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: OrchestratorOptions) {
    const environment = readEnvironment();
    this.#options = options;
    this.session = parse(sessionId, options.session ?? environment.session ?? `run-${randomName()}`, 'session');
    this.instanceId = options.instanceId ?? `orchestrator-${randomName()}`;
    this.#under = environment.run !== undefined && environment.session === this.session ? environment.run : undefined;
    this.#connection = openConnection(options);
    this.#reach = new Reach(options.onUnreachable === 'continue' ? (options.unreachableMs ?? 10_000) : undefined);
    this.#gate = new Gate(this.#reach);
    this.#outbox = new Outbox({
      send: async (events) => {
        try {
          return await this.#connection.request('publish', { session_id: this.session, events });
        } catch (error) {
          if (error instanceof ShannonDashError && error.code === 'SUPERSEDED') this.#supersede(error);
          throw error;
        }
      },
    });
    this.#desk = new DecisionDesk({
      reach: this.#reach,
      publish: (type, data) => this.emit(type, data),
      listen: () => void this.#listen(),
    });
    this.#inbox = new CommandInbox({
      session: this.session,
      instanceId: this.instanceId,
      connection: this.#connection,
      gate: this.#gate,
      desk: this.#desk,
      onProblem: (error) => this.#outbox.problems.tell({ error }),
      onSuperseded: (error) => this.#supersede(error),
    });
    this.#connection.on('command:execute', (execution, answer) => this.#inbox.receive(execution, answer));
    this.#connection.onUnreadable(({ error }) => this.#outbox.problems.tell({ error }));
    this.#connection.on('orchestrator:superseded', ({ instance_id }) =>
      this.#supersede(new ShannonDashError('SUPERSEDED', `${instance_id} has taken over ${this.session}`, { instance_id })),
    );
    this.#connection.on('session:deleted', ({ session_id }) => {
      if (session_id === this.session) this.#onDeleted();
    });
    this.#connection.onState(({ status }) => {
      if (status === 'live') return;
      this.#outbox.pause();
      this.#inbox.pause();
      this.#reach.lost();
    });
    this.#attachment = new Attachment({
      connection: this.#connection,
      session: this.session,
      instanceId: this.instanceId,
      under: this.#under,
      takesOver: options.takeOver ?? true,
      wantsChildToken: options.wantsChildToken ?? false,
      capabilities: () => this.#capabilities(),
      onAnswer: (answer, isFirst) => this.#onAnswer(answer, isFirst),
      onAttached: (answer) => this.#onAttached(answer),
      onEnd: (error) => this.#onRefused(error),
    });
  }

  /** Resolves when attached, or when the program is to go on without a server. */
  get ready(): Promise<void> {
    return Promise.race([
      this.#attachment.first,
      this.#options.onUnreachable === 'continue' ? this.#reach.decided : this.#attachment.first,
    ]);
  }

  get state(): SessionState | undefined {
    return this.#attachment.state;
  }

  get childToken(): string | undefined {
    return this.#attachment.childToken;
  }

  get connection(): ConnectionState {
    return this.#connection.state;
  }

  get pending(): number {
    return this.#outbox.pending;
  }

  get isHalted(): boolean {
    return this.#gate.isHalted;
  }

  emit<Type extends KnownEventType | (string & {})>(type: Type, data: EventData<Type>, options?: PublishOptions): Promise<Published> {
    return this.#outbox.publish(type, data, options);
  }

  start(data: EventData<'execution:started'> = {}): Promise<Published> {
    return this.emit('execution:started', data);
  }

  skill<Result>(name: string, run: (context: SkillContext) => Result | Promise<Result>, options: SkillOptions = {}): Promise<Result> {
    return runSkill(this, name, run, options);
  }

  agent(agentId: string, data: AgentOptions = {}): AgentHandle {
    return announceAgent(this, agentId, data);
  }

  async checkpoint({ checkpointId = `checkpoint-${randomName()}`, ...data }: CheckpointOptions = {}): Promise<string> {
    const event = { checkpoint_id: checkpointId, ...data };
    const { checkpoints, checkpointKey } = readEnvironment();
    if (checkpoints === 'git') {
      const proof = checkpointKey === undefined ? {} : { proof: await checkpointProof(checkpointKey, checkpointId) };
      await this.#checkpoints.taken(checkpointId, async () => {
        await this.#listen().joined;
        await this.emit('checkpoint:created', { ...event, ...proof });
      });
      return checkpointId;
    }
    const emitted = this.emit('checkpoint:created', event);
    // A program that is to go on without a server does not wait for it here either.
    if (this.#options.onUnreachable !== 'continue') await emitted;
    return checkpointId;
  }

  decide(options: DecideOptions): Promise<Decided> {
    return this.#desk.decide(options);
  }

  gate({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#gate.pass(signal);
  }

  onCommand<Type extends CommandType>(type: Type, handler: (command: ReceivedCommand<Type>) => unknown): () => void {
    // The server has checked the fields by the same table.
    const off = this.#inbox.handle(type, handler as unknown as CommandHandler);
    this.#attachment.announce();
    return () => {
      off();
      this.#attachment.announce();
    };
  }

  onSuperseded(listener: (error: ShannonDashError) => void): () => void {
    return this.#superseded.add(listener);
  }

  retryNow(): void {
    this.#connection.retryNow();
  }

  onDeleted(listener: () => void): () => void {
    return this.#deleted.add(listener);
  }

  onProblem(listener: (problem: Problem) => void): () => void {
    return this.#outbox.problems.add(listener);
  }

  async flush(timeoutMs = 5_000): Promise<void> {
    await Promise.all([this.#outbox.flush(timeoutMs), this.#inbox.settled(timeoutMs)]);
  }

  close(
    outcome?: 'completed' | 'failed',
    { result, error, timeoutMs }: { result?: unknown; error?: unknown; timeoutMs?: number } = {},
  ): Promise<void> {
    return (this.#closing ??= this.#close(outcome, outcome === 'failed' ? error : result, timeoutMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(outcome: 'completed' | 'failed' | undefined, value: unknown, timeoutMs: number | undefined): Promise<void> {
    if (this.#connection.failure === undefined) {
      if (outcome === 'completed') void emitWithValue(this, 'execution:completed', {}, { result: value });
      if (outcome === 'failed') void emitWithValue(this, 'execution:failed', {}, { error: value instanceof Error ? value.message : value });
      await this.flush(timeoutMs).catch(() => undefined);
    }
    this.#end();
  }

  /** A command that a former process of this instance had taken is not given to this one. */
  #onAnswer({ commands }: AttachedMessage, isFirst: boolean): void {
    if (!isFirst || this.#options.instanceId === undefined) return;
    for (const { command_id, command_type, status, delivered_to } of commands) {
      if (status === 'delivered' && delivered_to === this.instanceId) this.#inbox.abandon(command_id, command_type);
    }
  }

  #onAttached({ state, commands }: AttachedMessage): void {
    if (this.#under === undefined) this.#inbox.follow(state, commands);
    this.#desk.learn(state.decisions);
    if (state.let_go.decisions === 0) this.#desk.askAgain(state.decisions);
    this.#inbox.open(commands);
    this.#outbox.open();
    this.#reach.attached();
  }

  #onDeleted(): void {
    this.#deleted.tell();
    this.#inbox.release();
    this.#desk.askAgain([]);
  }

  #capabilities(): string[] {
    if (this.#options.capabilities !== undefined) return this.#options.capabilities;
    const types = [...new Set([...builtIn, ...this.#inbox.types])];
    return this.#under === undefined ? types : types.filter((type) => type !== 'HALT' && type !== 'RESUME');
  }

  /** Hears what the session says about decisions and snapshots, from the first question on. */
  #listen(): SessionWatcher {
    if (this.#ear !== undefined) return this.#ear;
    const ear = listenToAnswers(this.#connection, this.session, { desk: this.#desk, checkpoints: this.#checkpoints });
    ear.joined.catch((error: unknown) => this.#outbox.problems.tell({ error: asShannonDashError(error) }));
    return (this.#ear = ear);
  }

  #onRefused(error: ShannonDashError | undefined): void {
    if (error?.code === 'SUPERSEDED') return this.#supersede(error);
    if (error !== undefined) this.#outbox.problems.tell({ error });
    this.#end(error);
  }

  #supersede(error: ShannonDashError): void {
    if (this.#connection.failure !== undefined) return;
    this.#end(error);
    this.#superseded.tell(error);
  }

  /** Ends everything, for good. */
  #end(error = new ShannonDashError('UNREACHABLE', 'the orchestrator was closed')): void {
    // Superseded, the program may go on for itself: its gate stays as it is.
    if (error.code !== 'SUPERSEDED') this.#gate.end(error);
    this.#outbox.end(error);
    this.#desk.end(error);
    this.#reach.end();
    this.#checkpoints.end(error);
    this.#inbox.close();
    void this.#ear?.close();
    this.#attachment.close();
    this.#connection.close(error);
  }
}
