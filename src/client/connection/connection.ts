import type { AnswerOf, ReadName } from '../../core/http-api.ts';
import { isErrorBody } from '../../core/protocol/error-answer.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { answers, type Answer, type ConnectedMessage, type RequestName } from '../../core/protocol/messages.ts';
import { backoffMs, waitMsAfter } from './backoff.ts';
import { connectFailure, errorFromBody, isRetryable, readAs, unreachable } from './connect-failure.ts';
import { readApi, type CallInput } from '../sessions-api.ts';
import { Listeners } from './listeners.ts';
import { lossReason } from './client-socket.ts';
import { readGreeting } from './greeting.ts';
import { MessageListeners } from './message-listeners.ts';
import { ServerClock } from './server-clock.ts';
import { serverLinks, type ConnectOptions, type ServerLink } from './server-link.ts';
import { untilLive } from './until-live.ts';

export type { ConnectOptions } from './server-link.ts';

/** How long to wait for the server's `connected` once the transport stands, and between two measurements of the latency. */
const greetingMs = 10_000;
const pingEveryMs = 5_000;

/** A snapshot; another object after each change. */
export interface ConnectionState {
  status: 'connecting' | 'live' | 'reconnecting' | 'closed';
  /** Failed attempts since the last time it was live. */
  attempt: number;
  /** When the next attempt starts, in milliseconds since 1970; null while none is planned. */
  retryAt: number | null;
  /** Of the last ping. */
  latencyMs: number | null;
  serverVersion: string | null;
  /** Why it is not live. */
  error: string | null;
  /** When `status` became what it is, in milliseconds since 1970. */
  since: number;
}

/** A connection to a server that comes back by itself. */
export interface Connection {
  /** The server that it stands to, or was last tried. */
  readonly url: string;
  readonly state: ConnectionState;
  /** Why it was closed for good; UNREACHABLE when that was asked for. */
  readonly failure: ShannonDashError | undefined;
  /** What the server said when it last greeted. */
  readonly server: ConnectedMessage | undefined;
  /** Now by the server's clock, in milliseconds since 1970: what its timestamps are compared with. */
  readonly serverNowMs: number;
  /**
   * Sends a request and waits for its answer. Nothing is queued: without a live connection it rejects at once.
   * @throws ShannonDashError the server's refusal; TIMEOUT; UNREACHABLE (not sent, or lost before the answer); UNSUPPORTED (the
   * answer does not fit its schema)
   */
  request<Name extends RequestName>(name: Name, payload: unknown, options?: { timeoutMs?: number | undefined }): Promise<Answer<Name>>;
  /** Measures the round trip, in milliseconds. @throws as `request` */
  ping(options?: { timeoutMs?: number | undefined }): Promise<number>;
  /** Reads over HTTP, as `read('session', { path: { id } })`. @throws as `request` */
  read<Name extends ReadName>(name: Name, input: CallInput<Name>): Promise<AnswerOf<Name>>;
  /** Listens to messages of the server, each checked by its schema; `answer` is its acknowledgement. */
  readonly on: MessageListeners['add'];
  /** A message that does not fit its schema has come, and was left out: `error` says which field is wrong. */
  readonly onUnreadable: MessageListeners['unreadable']['add'];
  /** Connects at once where it waits for the next attempt. */
  retryNow(): void;
  /** Gives up the connection that stands, for a reason that is shown, and comes back. */
  drop(reason: string): void;
  /** Called after each change of `state`. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Resolves while live. @throws ShannonDashError why it was closed; TIMEOUT; or the reason of the signal */
  whenLive(options?: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined }): Promise<void>;
  /** Ends it and everything that waits for it. */
  close(error?: ShannonDashError): void;
}

/**
 * Connects; resolves once the server has greeted.
 * @throws ShannonDashError UNAUTHENTICATED, FORBIDDEN, UNREACHABLE (with `retry: false`); or the reason of the signal
 */
export async function connect(options: ConnectOptions = {}): Promise<Connection> {
  const connection = openConnection(options);
  try {
    await connection.whenLive({ signal: options.signal });
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Starts to connect and returns at once. */
export function openConnection(options: ConnectOptions = {}): Connection {
  return new SocketConnection(options);
}

class SocketConnection implements Connection {
  readonly #options: ConnectOptions;
  readonly #timeoutMs: number;
  readonly #links: readonly [ServerLink, ...ServerLink[]];
  readonly #listeners = new Listeners<ConnectionState>();
  readonly #messages: MessageListeners;
  readonly #abort = () => this.close();
  readonly on: Connection['on'] = (name, listener) => this.#messages.add(name, listener);
  readonly onUnreadable: Connection['onUnreadable'] = (listener) => this.#messages.unreadable.add(listener);
  #link: ServerLink;
  #state: ConnectionState;
  #server: ConnectedMessage | undefined;
  #failure: ShannonDashError | undefined;
  #lossReason: string | undefined;
  readonly #clock = new ServerClock();
  /** One at a time: the wait for the greeting, for the next attempt, or for the next ping. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#links = serverLinks(options, this.#timeoutMs);
    [this.#link] = this.#links;
    this.#state = { status: 'connecting', attempt: 0, retryAt: null, latencyMs: null, serverVersion: null, error: null, since: Date.now() };
    this.#messages = new MessageListeners(this.#links, ({ url }) => url === this.url && this.#state.status === 'live');
    for (const { url, socket } of this.#links) {
      socket.on('connect', () => this.#plan(Math.min(greetingMs, this.#timeoutMs), () => this.#notGreeted()));
      socket.on('connected', (message: unknown) => this.#greeted(message));
      socket.on('connect_error', (error) => void this.#refused(connectFailure(url, error)));
      socket.on('server:shutdown', () => (this.#lossReason = 'the server is shutting down'));
      socket.on('disconnect', (reason, details) => this.#lost(lossReason(reason, details)));
    }
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted === true) this.close();
    else this.#link.socket.connect();
  }

  get url(): string {
    return this.#link.url;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get failure(): ShannonDashError | undefined {
    return this.#failure;
  }

  get server(): ConnectedMessage | undefined {
    return this.#server;
  }

  get serverNowMs(): number {
    return this.#clock.nowMs;
  }

  async request<Name extends RequestName>(
    name: Name,
    payload: unknown,
    { timeoutMs = this.#timeoutMs }: { timeoutMs?: number | undefined } = {},
  ): Promise<Answer<Name>> {
    if (this.#state.status !== 'live') throw this.#failure ?? unreachable(this.url, this.#state.error ?? 'not connected yet');
    const { since } = this.#state;
    let answer: unknown;
    try {
      answer = await this.#link.socket.timeout(timeoutMs).emitWithAck(name, payload);
    } catch {
      // Socket.IO rejects when the time is over, and when the connection ends.
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#state.status !== 'live' || this.#state.since !== since) throw unreachable(this.url, 'the connection was lost');
      throw new ShannonDashError('TIMEOUT', `no answer to ${name} from ${this.url} in ${timeoutMs} ms`);
    }
    // A command that failed has a `status`: that is an answer, not a refusal.
    if (isErrorBody(answer) && !('status' in answer)) throw errorFromBody(answer);
    return readAs(answers[name], answer, { url: this.url, what: `the answer to ${name}` }) as Answer<Name>;
  }

  async ping(options?: { timeoutMs?: number | undefined }): Promise<number> {
    const startedAt = performance.now();
    const { timestamp } = await this.request('ping', {}, options);
    const latencyMs = performance.now() - startedAt;
    this.#clock.learn(timestamp);
    if (this.#state.status === 'live') this.#change({ latencyMs });
    return latencyMs;
  }

  async read<Name extends ReadName>(name: Name, input: CallInput<Name>): Promise<AnswerOf<Name>> {
    const { client, signal, token } = this.#options;
    const url = [this.#link, ...this.#links].map((link) => link.url).join(',');
    return readApi(name, input, { url, token, client, timeoutMs: this.#timeoutMs, signal });
  }

  retryNow(): void {
    if (this.#state.retryAt !== null) this.#plan(0, () => this.#retry());
  }

  drop(reason: string): void {
    this.#lossReason = reason;
    this.#link.socket.io.engine.close();
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#listeners.add(listener);
  }

  whenLive(options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {}): Promise<void> {
    return untilLive(this, options);
  }

  close(error = new ShannonDashError('UNREACHABLE', `the connection to ${this.url} was closed`)): void {
    if (this.#state.status === 'closed') return;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#failure = error;
    this.#change({ status: 'closed', retryAt: null, error: error.message });
    this.#link.socket.disconnect();
  }

  /** It speaks Socket.IO, and not our protocol; or it is only slow, as it is when it was ours before. */
  #notGreeted(): void {
    const foreign = new ShannonDashError('UNSUPPORTED', `${this.url} answers, but does not greet as shannon-dash does`);
    if (this.#server === undefined && this.#options.retry === false) this.close(foreign);
    else this.drop(foreign.message);
  }

  #greeted(greeting: unknown): void {
    let message: ConnectedMessage;
    try {
      message = readGreeting(this.url, greeting);
    } catch (error) {
      this.close(error as ShannonDashError);
      return;
    }
    this.#server = message;
    this.#clock.learn(message.timestamp);
    this.#lossReason = undefined;
    this.#change({ status: 'live', attempt: 0, retryAt: null, error: null, serverVersion: message.server_version });
    this.#measure();
  }

  #measure(): void {
    if (this.#state.status !== 'live') return;
    this.#plan(pingEveryMs, () => this.#measure());
    this.ping().catch(() => undefined);
  }

  async #refused(error: ShannonDashError): Promise<void> {
    // The server may have started just now, and have another token for its user's programs than the one before it.
    const isBehind = error.code === 'UNAUTHENTICATED' && (await this.#link.token.hasChanged());
    this.#failed(isBehind ? unreachable(this.url, 'it has just started', error) : error);
  }

  #failed(error: ShannonDashError): void {
    if (this.#state.status === 'closed') return;
    const isFirst = this.#server === undefined;
    const isEnough = isFirst && this.#options.retry === false && this.#state.attempt + 1 >= this.#links.length;
    if (!isRetryable(error) || isEnough) this.close(error);
    else this.#tryAgain(isFirst ? 'connecting' : 'reconnecting', error.message, error);
  }

  #lost(reason: string): void {
    // Socket.IO would send what it could not write now on the next connection, although its request has failed by then.
    this.#link.socket.sendBuffer.length = 0;
    if (this.#state.status === 'closed') return;
    this.#tryAgain(this.#server === undefined ? 'connecting' : 'reconnecting', this.#lossReason ?? reason);
  }

  #tryAgain(status: 'connecting' | 'reconnecting', error: string, cause?: ShannonDashError): void {
    const attempt = this.#state.attempt + 1;
    // Each server has its turn before any is waited for.
    const rounds = attempt / this.#links.length;
    const waitMs = Number.isInteger(rounds) ? waitMsAfter(cause, rounds) : backoffMs(1);
    this.#plan(waitMs, () => this.#retry());
    this.#change({ status, attempt, retryAt: Date.now() + waitMs, latencyMs: null, error });
  }

  #retry(): void {
    this.#link = this.#links[(this.#links.indexOf(this.#link) + 1) % this.#links.length] ?? this.#link;
    this.#change({ retryAt: null });
    this.#link.socket.connect();
  }

  #plan(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #change(change: Partial<ConnectionState>): void {
    const since = change.status === undefined || change.status === this.#state.status ? this.#state.since : Date.now();
    this.#state = { ...this.#state, ...change, since };
    this.#listeners.tell(this.#state);
  }
}
