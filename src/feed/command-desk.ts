import type { Connection } from '../client/connection/connection.ts';
import type { CommandInput, CommandResult } from '../core/protocol/command.ts';
import { ShannonDashError } from '../core/protocol/errors.ts';
import { newId } from '../core/ids.ts';
import { count } from '../view/text/numbers.ts';
import type { Tone } from '../view/cells.ts';
import { shown } from '../view/text/shown-text.ts';

/** Says something at the foot of the screen. */
export type Say = (text: string, tone: Tone) => void;

/** Sends commands over a live connection, or says why not. Nothing waits for better times: a HALT that acts minutes later is worse than none. */
export class CommandDesk {
  readonly #connection: Connection;
  readonly #say: Say;
  readonly #isReadonly: boolean;

  constructor(connection: Connection, isReadonly: boolean, say: Say) {
    this.#connection = connection;
    this.#isReadonly = isReadonly;
    this.#say = say;
  }

  /** Whether commands can be sent; if not, the reason is said. */
  isOpen(what: string): boolean {
    if (this.#isReadonly) this.#say(`${what} not sent: this dashboard is read only`, 'bad');
    else if (this.#connection.state.status !== 'live') this.#say(`${what} not sent: not connected, and nothing is queued`, 'bad');
    else return true;
    return false;
  }

  /** Sends a command and says how it went. Undefined: it did not go through, and that was said. */
  async send(command: CommandInput, what: string): Promise<CommandResult | undefined> {
    if (!this.isOpen(what)) return undefined;
    this.#say(`${what} sent ...`, 'plain');
    try {
      const identified = { ...command, command_id: newId() };
      // It names one session, so that there is one result.
      const result = (await this.#connection.request('command', identified, { timeoutMs: 7_000 })) as CommandResult;
      this.#say(outcome(result, what), result.success ? (result.status === 'applied' ? 'good' : 'warn') : 'bad');
      return result;
    } catch (error) {
      this.#say(failure(error, what), 'bad');
      return undefined;
    }
  }

  /** Sends a command to each of several sessions, and says how it went with all of them. */
  async sendAll(commands: readonly CommandInput[], what: string): Promise<void> {
    if (!this.isOpen(what)) return;
    const results = await Promise.all(commands.map((command) => this.send(command, what)));
    const applied = results.filter((result) => result?.success === true).length;
    this.#say(`${what}: taken by ${applied} of ${results.length} sessions`, applied === results.length ? 'good' : 'bad');
  }
}

function outcome(result: CommandResult, what: string): string {
  const by = result.acknowledged_by === undefined ? '' : ` by ${shown(result.acknowledged_by, 60)}`;
  if (result.status === 'applied') return `${what} applied${by} in ${count(result.elapsed_ms)} ms`;
  if (result.success) return `${what} ${result.status}${by}: ${shown(result.message ?? 'not applied yet', 200)}`;
  return `${what} ${result.status}: ${shown(result.error ?? result.message ?? 'no reason given', 300)}`;
}

function failure(error: unknown, what: string): string {
  if (error instanceof ShannonDashError && error.code === 'UNREACHABLE')
    return `${what}: the connection was lost before the answer; look before you send it again`;
  if (error instanceof ShannonDashError && error.code === 'TIMEOUT') return `${what}: no answer in 7s; it may still take effect`;
  return `${what} refused: ${reasonOf(error)}`;
}

/** Why something failed, clean. */
export function reasonOf(error: unknown): string {
  return shown(error instanceof Error ? error.message : 'for an unknown reason', 300);
}
