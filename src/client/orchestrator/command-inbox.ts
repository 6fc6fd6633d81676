import type { CommandExecution, CommandType } from '../../core/protocol/command.ts';
import { cutText } from '../../core/text/cut-text.ts';
import type { ShannonDashError } from '../../core/protocol/errors.ts';
import type { CommandState, SessionState } from '../../core/protocol/session-state.ts';
import { backoffMs, pauseFor } from '../connection/backoff.ts';
import { asShannonDashError, isRetryable } from '../connection/connect-failure.ts';
import type { Connection } from '../connection/connection.ts';
import type { DecisionDesk } from './decision-desk.ts';
import type { Gate } from './gate.ts';
import { Listeners } from '../connection/listeners.ts';

/** Carries a command out: what it resolves to is the result, what it throws is the error. */
export type CommandHandler = (command: CommandExecution) => unknown;

interface Update {
  status: 'applied' | 'failed';
  result?: unknown;
  error?: string;
}

export interface CommandInboxParts {
  session: string;
  instanceId: string;
  connection: Connection;
  gate: Gate;
  desk: DecisionDesk;
  onProblem: (error: ShannonDashError) => void;
  onSuperseded: (error: ShannonDashError) => void;
}

/** How many commands are remembered by their ids. */
const remembered = 10_000;
/** How long after the first attach a command waits for its handler: a program registers them while it starts. */
const handlerGraceMs = 1_000;
/** Characters of JSON of a result that are passed on. */
const resultChars = 256 * 1024;

/** The commands of an orchestrator: each given to its handler once, its end told until the server has heard it. */
export class CommandInbox {
  readonly #parts: CommandInboxParts;
  readonly #handlers = new Map<CommandType, CommandHandler>();
  readonly #registered = new Listeners<CommandType>();
  /** Every command seen, by its id; null while it is being carried out. */
  readonly #seen = new Map<string, { type: CommandType; update: Update | null }>();
  readonly #unsent = new Map<string, Update>();
  readonly #sending = new Set<string>();
  readonly #closing = new AbortController();
  readonly #idle: (() => void)[] = [];
  /** What came before the server's answer to `orchestrator:attach` was looked at. */
  #early: CommandExecution[] = [];
  #isOpen = false;
  #graceEndsAt: number | undefined;
  /** How many are being carried out. */
  #inHand = 0;
  #gateTurn: Promise<unknown> = Promise.resolve();
  #haltsWaiting = 0;

  constructor(parts: CommandInboxParts) {
    this.#parts = parts;
  }

  /** The types that have a handler. */
  get types(): CommandType[] {
    return [...this.#handlers.keys()];
  }

  handle(type: CommandType, handler: CommandHandler): () => void {
    this.#handlers.set(type, handler);
    this.#registered.tell(type);
    return () => {
      if (this.#handlers.get(type) === handler) this.#handlers.delete(type);
    };
  }

  /**
   * A `command:execute`. Acknowledged in the next turn: what is done at once is told first, and says that it was
   * delivered as well, so that nobody waits behind a packet that says less.
   */
  receive(execution: CommandExecution, answer: (value: unknown) => void): void {
    setTimeout(() => answer({ success: true }));
    if (this.#isOpen) this.#take(execution);
    else this.#early.push(execution);
  }

  /** Attached: takes what is not finished, and tells what the server may not have heard. */
  open(commands: readonly CommandState[]): void {
    this.#isOpen = true;
    this.#graceEndsAt ??= performance.now() + handlerGraceMs;
    for (const command of commands) this.#take(executionOf(this.#parts.session, command));
    for (const execution of this.#early.splice(0)) this.#take(execution);
    for (const id of this.#unsent.keys()) void this.#send(id);
  }

  pause(): void {
    this.#isOpen = false;
    this.#early = [];
  }

  /** Fails a command that a former process of this instance had taken: how far it came is unknown, so it is not done again. */
  abandon(commandId: string, type: CommandType): void {
    this.#remember(commandId, type);
    this.#finish(commandId, {
      status: 'failed',
      error: 'the program was started again while it carried this out; it may have taken effect',
    });
  }

  /**
   * Brings the gate in line with a session that was halted or resumed by the server while no orchestrator was attached. A HALT or
   * RESUME that is not finished says more than the status: then nothing is done.
   */
  follow({ status, halt, session_id }: SessionState, commands: readonly CommandState[]): void {
    const isGateCommand = (type: CommandType) => type === 'HALT' || type === 'RESUME';
    const isUnderWay =
      commands.some((command) => isGateCommand(command.command_type)) ||
      [...this.#seen].some(([id, { type, update }]) => isGateCommand(type) && (update === null || this.#unsent.has(id)));
    if (isUnderWay || status === 'halting' || (status === 'halted') === this.#parts.gate.isHalted) return;
    const type = status === 'halted' ? 'HALT' : 'RESUME';
    const reason = halt?.reason == null ? {} : { reason: halt.reason };
    const execution = { command_id: halt?.command_id ?? '', type, session_id, by: halt?.by ?? null, ...reason } as const;
    const done = type === 'HALT' ? this.#halt(execution, true) : this.#resume(execution);
    done.catch((error: unknown) => this.#parts.onProblem(asShannonDashError(error)));
  }

  /** Opens the gate after the session was deleted, because no operator can resume it. A HALT under way is done first. */
  release(): void {
    if (!this.#parts.gate.isHalted) return;
    const execution = { command_id: '', type: 'RESUME', session_id: this.#parts.session, by: null } as const;
    this.#resume(execution).catch((error: unknown) => this.#parts.onProblem(asShannonDashError(error)));
  }

  /** Resolves when every command taken has ended and the server knows, or after so long. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#isIdle()) return;
    const enough = new AbortController();
    await Promise.race([new Promise<void>((resolve) => this.#idle.push(resolve)), pauseFor(timeoutMs, enough.signal)]);
    enough.abort();
  }

  close(): void {
    this.pause();
    this.#closing.abort();
  }

  #take(execution: CommandExecution): void {
    const { command_id, type } = execution;
    const known = this.#seen.get(command_id);
    if (known?.update != null) {
      // The server gives it again, so it has not heard how it ended.
      this.#unsent.set(command_id, known.update);
      void this.#send(command_id);
    }
    if (known !== undefined) return;
    this.#remember(command_id, type);
    this.#carryOut(execution).then(
      (result) => this.#finish(command_id, { status: 'applied', ...passable(result) }),
      (error: unknown) =>
        this.#finish(command_id, { status: 'failed', error: cutText(asShannonDashError(error).message.toWellFormed(), 10_000) }),
    );
  }

  async #carryOut(execution: CommandExecution): Promise<unknown> {
    switch (execution.type) {
      case 'HALT':
        return this.#halt(execution, false);
      case 'RESUME':
        return this.#resume(execution);
      case 'DECISION': {
        // The handler first: it may refuse.
        const result = await this.#handlers.get('DECISION')?.(execution);
        this.#parts.desk.answer(execution);
        return result;
      }
      default: {
        const handler = await this.#handlerOf(execution.type);
        if (handler === undefined) throw new Error(`no handler for ${execution.type} in ${this.#parts.instanceId}`);
        return handler(execution);
      }
    }
  }

  async #handlerOf(type: CommandType): Promise<CommandHandler | undefined> {
    const leftMs = (this.#graceEndsAt ?? 0) - performance.now();
    if (!this.#handlers.has(type) && leftMs > 0) {
      const found = new AbortController();
      const off = this.#registered.add((each) => {
        if (each === type) found.abort();
      });
      await pauseFor(leftMs, AbortSignal.any([found.signal, this.#closing.signal]));
      off();
    }
    return this.#handlers.get(type);
  }

  /** @param stays whether the gate stays closed when the handler fails, because the server says that the session is halted */
  async #halt(execution: CommandExecution, stays: boolean): Promise<unknown> {
    // Closed before its turn, so that a RESUME that is still under way opens nothing.
    this.#haltsWaiting++;
    this.#parts.gate.halt();
    return this.#inTurn(async () => {
      this.#haltsWaiting--;
      this.#parts.gate.halt();
      try {
        return (await this.#handlers.get('HALT')?.(execution)) ?? { gate: 'closed' };
      } catch (error) {
        if (!stays && this.#haltsWaiting === 0) this.#parts.gate.open();
        throw error;
      }
    });
  }

  async #resume(execution: CommandExecution): Promise<unknown> {
    return this.#inTurn(async () => {
      const result = await this.#handlers.get('RESUME')?.(execution);
      if (this.#haltsWaiting === 0) this.#parts.gate.open();
      return result ?? { gate: this.#parts.gate.isHalted ? 'closed' : 'open' };
    });
  }

  #inTurn(step: () => Promise<unknown>): Promise<unknown> {
    const turn = this.#gateTurn.then(step);
    this.#gateTurn = turn.catch(() => undefined);
    return turn;
  }

  #remember(commandId: string, type: CommandType): void {
    this.#inHand++;
    this.#seen.set(commandId, { type, update: null });
    if (this.#seen.size <= remembered) return;
    for (const [id, { update }] of this.#seen) {
      if (update === null || this.#unsent.has(id)) continue;
      this.#seen.delete(id);
      return;
    }
  }

  #finish(commandId: string, update: Update): void {
    this.#inHand--;
    const known = this.#seen.get(commandId);
    if (known !== undefined) known.update = update;
    this.#unsent.set(commandId, update);
    void this.#send(commandId);
  }

  async #send(commandId: string): Promise<void> {
    if (this.#sending.has(commandId)) return;
    this.#sending.add(commandId);
    const { connection, session } = this.#parts;
    for (let attempt = 1; this.#isOpen; attempt++) {
      try {
        await connection.request('command:update', { command_id: commandId, session_id: session, ...this.#unsent.get(commandId) });
        this.#unsent.delete(commandId);
        break;
      } catch (error) {
        const known = asShannonDashError(error);
        if (isRetryable(known)) await pauseFor(backoffMs(attempt), this.#closing.signal);
        else {
          this.#unsent.delete(commandId);
          if (known.code === 'SUPERSEDED') this.#parts.onSuperseded(known);
          else this.#parts.onProblem(known);
          break;
        }
      }
    }
    this.#sending.delete(commandId);
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #isIdle(): boolean {
    return this.#inHand === 0 && this.#unsent.size === 0;
  }
}

function executionOf(session_id: string, { command_id, command_type, by, parameters }: CommandState): CommandExecution {
  return { ...parameters, command_id, type: command_type, session_id, by };
}

/** A result as JSON that the wire takes. */
function passable(result: unknown): { result?: unknown } {
  try {
    const json = JSON.stringify(result) as string | undefined;
    if (json === undefined) return {};
    return { result: json.length <= resultChars ? result : { omitted: `a result of ${json.length} characters` } };
  } catch {
    return { result: { omitted: 'a result that is not JSON' } };
  }
}
