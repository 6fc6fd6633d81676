import type { CancelAnswer, CancelRequest, CommandInput, CommandResult, CommandResults, ResendInput } from '../core/protocol/command.ts';
import { ShannonDashError } from '../core/protocol/errors.ts';
import type { Answer } from '../core/protocol/messages.ts';
import { newId } from '../core/ids.ts';
import { limits } from '../core/protocol/limits.ts';
import { waitMsAfter } from './connection/backoff.ts';
import { defaultClientName } from './environment.ts';
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
  /** Sends a command again that ended without being applied, as a new one. It waits, and throws, as `send`. */
  resend(request: ResendInput, options?: { timeoutMs?: number | undefined }): Promise<CommandResult>;
  /** Takes a command back that waits for an orchestrator. @throws ShannonDashError CONFLICT an orchestrator may have it, or it has ended */
  cancel(request: CancelRequest, options?: { timeoutMs?: number | undefined }): Promise<CancelAnswer>;
  readonly connection: ConnectionState;
  close(): Promise<void>;
}

/**
 * Connects.
 * @param options session: where commands go that name none
 * @throws ShannonDashError UNREACHABLE (with `retry: false`), UNAUTHENTICATED, FORBIDDEN; or the signal's reason
 */
export async function connectOperator(options: ConnectOptions & { session?: string | undefined } = {}): Promise<Operator> {
  const connection = await connect({ ...options, client: options.client ?? defaultClientName() });
  return {
    send: (command, sendOptions) =>
      send(connection, 'command', withId({ ...command, session_id: command.session_id ?? options.session }), sendOptions),
    resend: (request, sendOptions) => send(connection, 'command:resend', withId(request), sendOptions),
    cancel: (request, sendOptions) => send(connection, 'command:cancel', request, sendOptions),
    get connection() {
      return connection.state;
    },
    close: async () => connection.close(),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}

/** By its id, what is sent again after its answer was lost happens once. */
function withId<Sent extends { command_id?: string | undefined }>(sent: Sent): Sent & { command_id: string } {
  return { ...sent, command_id: sent.command_id ?? newId() };
}

/** What is sent, with the id by which the same again does nothing twice. */
interface Identified {
  command_id: string;
  timeout_ms?: number | undefined;
}

async function send<Name extends 'command' | 'command:resend' | 'command:cancel'>(
  connection: Connection,
  name: Name,
  identified: Identified,
  { timeoutMs = (identified.timeout_ms ?? limits.commandTimeoutMs) + graceMs }: { timeoutMs?: number | undefined } = {},
): Promise<Answer<Name>> {
  const deadline = performance.now() + timeoutMs;
  const leftMs = () => Math.max(0, deadline - performance.now());
  let isSent = false;
  for (let attempt = 1; ; attempt++) {
    try {
      await connection.whenLive({ timeoutMs: leftMs() });
      const answer = connection.request(name, identified, { timeoutMs: leftMs() });
      isSent = true;
      return await answer;
    } catch (error) {
      const failure = asShannonDashError(error);
      const waitMs = waitMsAfter(failure, attempt);
      const isFull = failure.code === 'LIMIT_REACHED' && failure.retryAfterMs === undefined;
      if (!isRetryable(failure) || isFull || connection.failure !== undefined) throw failure;
      if (leftMs() <= waitMs && failure.retryAfterMs !== undefined) throw failure;
      if (leftMs() <= waitMs) throw isSent ? timedOut(name, identified, timeoutMs, failure) : unsent(failure);
      // Not while the connection is down: whenLive waits for that, and for no longer than needed.
      if (connection.state.status === 'live') await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

function timedOut(name: string, sent: Identified, timeoutMs: number, cause: ShannonDashError): ShannonDashError {
  const what = 'type' in sent ? String(sent.type) : name;
  const details = { command_id: sent.command_id };
  return new ShannonDashError('TIMEOUT', `no answer to ${what} in ${timeoutMs} ms; it may still take effect`, details, { cause });
}

function unsent(cause: ShannonDashError): ShannonDashError {
  return cause.code === 'UNREACHABLE'
    ? cause
    : new ShannonDashError('UNREACHABLE', `${cause.message}: the command was not sent`, undefined, { cause });
}
