import type { CommandFields, CommandType } from '../../core/protocol/command.ts';
import type { ShannonDashError } from '../../core/protocol/errors.ts';
import type { EventData, KnownEventType } from '../../core/protocol/event-table.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { ConnectionState, ConnectOptions } from '../connection/connection.ts';
import type { Decided, DecideOptions } from './decision-desk.ts';
import type { Problem, Published, PublishOptions } from './outbox.ts';

export interface OrchestratorOptions extends ConnectOptions {
  /** Default: $SHANNON_DASH_SESSION, else a new name. */
  session?: string | undefined;
  /**
   * Names this process (default: a new name). Given, it also names the process that it replaces: a command which that one
   * had taken is reported as failed, because how far it came is unknown, instead of being carried out twice.
   */
  instanceId?: string | undefined;
  /** The commands that it announces. Default: what the SDK does by itself and what has a handler. */
  capabilities?: string[] | undefined;
  /** False: refused (CONFLICT) where another instance is attached, instead of taking the session over from it. Default true. */
  takeOver?: boolean | undefined;
  /** Whether to ask the server for `childToken`. Default false. */
  wantsChildToken?: boolean | undefined;
  /** `wait` (default): without a server the gate and the decisions wait. `continue`: after `unreachableMs` the program goes on. */
  onUnreachable?: 'wait' | 'continue' | undefined;
  /** Default 10,000. */
  unreachableMs?: number | undefined;
}

/** A command as a handler gets it: its fields, its id and who sent it. */
export type ReceivedCommand<Type extends CommandType = CommandType> = {
  command_id: string;
  type: Type;
  session_id: string;
  by: string | null;
} & CommandFields<Type>;

/** What a skill's function gets. */
export interface SkillContext {
  /** @param percent 0 to 100, or null for a message alone */
  progress: (percent: number | null, message?: string) => void;
  signal: AbortSignal | undefined;
}

export interface SkillOptions {
  /** Tells runs of the same skill apart (default: the skill's name). */
  skillId?: string | undefined;
  parameters?: Record<string, unknown> | undefined;
  agentId?: string | undefined;
  /** Passed on to the function. */
  signal?: AbortSignal | undefined;
}

/** An agent that was announced. */
export interface AgentHandle {
  readonly agentId: string;
  progress(data: Omit<EventData<'agent:progress'>, 'agent_id'>): Promise<Published>;
  completed(data?: Omit<EventData<'agent:completed'>, 'agent_id'>): Promise<Published>;
}

export interface CheckpointOptions {
  label?: string | undefined;
  /** Default: a random one. */
  checkpointId?: string | undefined;
  step?: number | undefined;
  /** The files that it holds, or their number. */
  files?: unknown;
}

/**
 * A program that is watched and steered: it publishes what it does and carries commands out. Events are kept until the
 * server has them; a rejection that the caller does not await is told to `onProblem` and never ends the process.
 */
export interface Orchestrator extends AsyncDisposable {
  readonly session: string;
  readonly instanceId: string;
  /** The session as the server told it at the last attach; undefined before the first. */
  readonly state: SessionState | undefined;
  /**
   * A token for the programs that this one starts: role orchestrator, for this session alone, good until the run ends. Undefined before
   * the server has given it, and where the server asks for none.
   */
  readonly childToken: string | undefined;
  readonly connection: ConnectionState;
  /** Events that the server does not have yet. */
  readonly pending: number;
  /** Whether a HALT is in force here. */
  readonly isHalted: boolean;

  /** Publishes an event; resolves once it is journalled. @throws ShannonDashError as `Publisher.publish` */
  emit<Type extends KnownEventType | (string & {})>(type: Type, data: EventData<Type>, options?: PublishOptions): Promise<Published>;
  /** Announces the run. */
  start(data?: { task?: string | undefined; plan_id?: string | undefined; total_steps?: number | undefined }): Promise<Published>;
  /** Runs a function as a skill: started, then completed with its result or failed with its error, which is thrown on. */
  skill<Result>(name: string, run: (context: SkillContext) => Result | Promise<Result>, options?: SkillOptions): Promise<Result>;
  agent(agentId: string, data?: { role?: string | undefined; task?: string | undefined; skillName?: string | undefined }): AgentHandle;
  /**
   * Announces a point to come back to; resolves with its id. Under `shannon-dash run --checkpoints git` once the snapshot
   * is taken.
   * @throws ShannonDashError TIMEOUT (no snapshot in 30 s), INTERNAL (it failed)
   */
  checkpoint(options?: CheckpointOptions): Promise<string>;
  /** Asks the operators, and waits for the first answer. @throws ShannonDashError; or the signal's reason */
  decide(options: DecideOptions): Promise<Decided>;
  /** The place to stop at: returns at once while running, waits while halted. @throws the signal's reason */
  gate(options?: { signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * Carries out commands of a type: what the handler resolves to is the result, what it throws the error. HALT closes the
   * gate first, RESUME opens it afterwards. Without handlers the SDK does HALT, RESUME and DECISION and refuses the others.
   */
  onCommand<Type extends CommandType>(type: Type, handler: (command: ReceivedCommand<Type>) => unknown): () => void;
  /** Another orchestrator has taken the session: nothing can be published any more. The gate stays as it is. */
  onSuperseded(listener: (error: ShannonDashError) => void): () => void;
  /** The session was deleted; with the next event it is there again. What was halted goes on, because no operator could resume it. */
  onDeleted(listener: () => void): () => void;
  onProblem(listener: (problem: Problem) => void): () => void;
  /** Connects at once where it waits for the next attempt. */
  retryNow(): void;
  /** Waits until the server has every event and the end of every command. @throws ShannonDashError TIMEOUT (5,000 ms) */
  flush(timeoutMs?: number): Promise<void>;
  /** Says how the run ended, if told; waits for the server (at most 5,000 ms), then lets go of everything. */
  close(outcome?: 'completed' | 'failed', data?: { result?: unknown; error?: unknown; timeoutMs?: number | undefined }): Promise<void>;
}
