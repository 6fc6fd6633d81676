import type { CommandInput, CommandResult, CommandResults } from '../core/protocol/command.ts';
import { ShannonDashError } from '../core/protocol/errors.ts';
import { newId } from '../core/ids.ts';
import { limits } from '../core/protocol/limits.ts';
import { waitMsAfter } from './connection/backoff.ts';
import { asShannonDashError, isRetryable } from './connection/connect-failure.ts';
import { connect, type Connection, type ConnectionState, type ConnectOptions } from './connection/connection.ts';

/** How much longer than the server an operator waits, in milliseconds, so that the server's answer is what counts. */
const graceMs = 2_000;

/** Sends commands. */
export interface Operator extends AsyncDisposable {
  /**
   * Sends a command and waits until it is finished, or until its time is over: `status` says which. When the connection is
   * lost meanwhile, or too much was sent, the same command (by its `command_id`) is sent again; nothing happens twice.
   * @param options timeoutMs: until then, in all (default: the command's own `timeout_ms`, or 5,000, and 2,000 more)
   * @throws ShannonDashError the server's refusal; TIMEOUT (sent, outcome unknown); UNREACHABLE (never sent)
   */
  send(command: CommandInput, options?: { timeoutMs?: number | undefined }): Promise<CommandResult | CommandResults>;
  readonly connection: ConnectionState;
  close(): Promise<void>;
}

/**
 * Connects.
 * @param options session: where commands go that name none
 * @throws ShannonDashError UNREACHABLE (with `retry: false`), UNAUTHENTICATED, FORBIDDEN; or the signal's reason
 */
export async function connectOperator(options: ConnectOptions & { session?: string | undefined } = {}): Promise<Operator> {
  const connection = await connect(options);
  return {
    send: (command, sendOptions) => send(connection, { ...command, session_id: command.session_id ?? options.session }, sendOptions),
    get connection() {
      return connection.state;
    },
    close: async () => connection.close(),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}

async function send(
  connection: Connection,
  command: CommandInput,
  { timeoutMs = (command.timeout_ms ?? limits.commandTimeoutMs) + graceMs }: { timeoutMs?: number | undefined } = {},
): Promise<CommandResult | CommandResults> {
  const identified = { ...command, command_id: command.command_id ?? newId() } as CommandInput;
  const deadline = performance.now() + timeoutMs;
  const leftMs = () => Math.max(0, deadline - performance.now());
  let isSent = false;
  for (let attempt = 1; ; attempt++) {
    try {
      await connection.whenLive({ timeoutMs: leftMs() });
      const answer = connection.request('command', identified, { timeoutMs: leftMs() });
      isSent = true;
      return await answer;
    } catch (error) {
      const failure = asShannonDashError(error);
      const waitMs = waitMsAfter(failure, attempt);
      const isFull = failure.code === 'LIMIT_REACHED' && failure.retryAfterMs === undefined;
      if (!isRetryable(failure) || isFull || connection.failure !== undefined) throw failure;
      if (leftMs() <= waitMs && failure.retryAfterMs !== undefined) throw failure;
      if (leftMs() <= waitMs) throw isSent ? timedOut(identified, timeoutMs, failure) : unsent(failure);
      // Not while the connection is down: whenLive waits for that, and for no longer than needed.
      if (connection.state.status === 'live') await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

function timedOut({ type, command_id }: CommandInput, timeoutMs: number, cause: ShannonDashError): ShannonDashError {
  return new ShannonDashError('TIMEOUT', `no answer to ${type} in ${timeoutMs} ms; it may still take effect`, { command_id }, { cause });
}

function unsent(cause: ShannonDashError): ShannonDashError {
  return cause.code === 'UNREACHABLE'
    ? cause
    : new ShannonDashError('UNREACHABLE', `${cause.message}: the command was not sent`, undefined, { cause });
}
