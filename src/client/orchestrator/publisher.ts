import type { EventData, KnownEventType } from '../../core/protocol/event-table.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { sessionId } from '../../core/ids.ts';
import { parse } from '../../core/json/parse.ts';
import { openConnection, type ConnectionState, type ConnectOptions } from '../connection/connection.ts';
import { Outbox, type Problem, type Published, type PublishOptions } from './outbox.ts';

/** Publishes events of one session: each journalled once and in order, over reconnects and restarts of the server. */
export interface Publisher extends AsyncDisposable {
  readonly session: string;
  /**
   * Resolves once the event is journalled. A rejection that the caller does not await is told to `onProblem` only.
   * @throws ShannonDashError INVALID, TOO_LARGE, CONFLICT (the same id with other content), LIMIT_REACHED (10,000 events or
   * 16 Mi characters wait already), FORBIDDEN, SUPERSEDED
   */
  publish<Type extends KnownEventType | (string & {})>(type: Type, data: EventData<Type>, options?: PublishOptions): Promise<Published>;
  /** Events that are not acknowledged yet. */
  readonly pending: number;
  /** How many of its events the server has acknowledged. */
  readonly journalled: number;
  readonly connection: ConnectionState;
  /** Resolves when nothing is pending. @throws ShannonDashError TIMEOUT (default after 5,000 ms) */
  flush(timeoutMs?: number): Promise<void>;
  onProblem(listener: (problem: Problem) => void): () => void;
  /** Waits for what is pending, at most so long (default 2,000 ms), then ends; what is left is rejected. */
  close(timeoutMs?: number): Promise<void>;
}

export interface PublisherOptions extends ConnectOptions {
  session: string;
  /** Events that may wait (default 10,000). */
  maxEvents?: number | undefined;
  /** Characters of JSON that may wait (default 16 Mi). */
  maxChars?: number | undefined;
}

/**
 * Connects.
 * @throws ShannonDashError INVALID, UNREACHABLE (with `retry: false`), UNAUTHENTICATED, FORBIDDEN; or the signal's reason
 */
export async function connectPublisher(options: PublisherOptions): Promise<Publisher> {
  const session = parse(sessionId, options.session, 'session');
  const connection = openConnection(options);
  const outbox = new Outbox({
    send: (events) => connection.request('publish', { session_id: session, events }),
    maxEvents: options.maxEvents,
    maxChars: options.maxChars,
  });
  connection.onState(({ status }) => {
    if (status === 'live') outbox.open();
    else outbox.pause();
    if (status === 'closed') outbox.end(connection.failure ?? new ShannonDashError('UNREACHABLE', 'the publisher was closed'));
  });
  try {
    await connection.whenLive({ signal: options.signal });
  } catch (error) {
    connection.close();
    throw error;
  }
  const close = async (timeoutMs = 2_000) => {
    await outbox.flush(timeoutMs).catch(() => undefined);
    connection.close();
  };
  return {
    session,
    publish: (type, data, publishOptions) => outbox.publish(type, data, publishOptions),
    get pending() {
      return outbox.pending;
    },
    get journalled() {
      return outbox.journalled;
    },
    get connection() {
      return connection.state;
    },
    flush: (timeoutMs = 5_000) => outbox.flush(timeoutMs),
    onProblem: (listener) => outbox.problems.add(listener),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
