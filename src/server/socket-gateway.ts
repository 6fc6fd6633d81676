import type { Server as SocketServer, Socket } from 'socket.io';
import type { Logger } from 'pino';
import { commandUpdate, parseCommand } from '../core/command.ts';
import { errorBody, ShannonDashError } from '../core/errors.ts';
import { eventFilter } from '../core/event-filter.ts';
import { limits } from '../core/limits.ts';
import {
  attachRequest,
  handshake,
  subscribeRequest,
  unsubscribeRequest,
  type ConnectedMessage,
  type SubscribedMessage,
  type SubscribeRequest,
} from '../core/messages.ts';
import { parse } from '../core/parse.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { EventIntake } from './event-intake.ts';
import type { Hub, Subscription } from './hub.ts';
import type { OrchestratorLink } from './orchestrators.ts';
import type { ServerFigures } from './server-figures.ts';
import { SocketBacklog, SocketWatcher } from './socket-watcher.ts';

/** What a connected client may rely on. */
export const capabilities = ['subscribe', 'publish', 'command', 'orchestrator', 'batch', 'cursor', 'cli_event'];

/** How long an orchestrator's process has to acknowledge a command before it counts as not delivered. */
const deliveryTimeoutMs = 30_000;

export interface GatewayParts {
  hub: Hub;
  intake: EventIntake;
  ledger: CommandLedger;
  figures: ServerFigures;
  log: Logger;
  epoch: string;
  version: string;
}

/** Answers every client of a Socket.IO server: protocol, section 4. */
export function serveSockets(io: SocketServer, parts: GatewayParts): void {
  io.use((socket, next) => {
    try {
      socket.data = {
        hello: parse(handshake, {
          ...socket.handshake.auth,
          session_id: socket.handshake.auth['session_id'] ?? socket.handshake.query['session_id'],
        }),
      };
      next();
    } catch (error) {
      next(Object.assign(new Error(errorBody(error).error), { data: errorBody(error) }));
    }
  });
  io.on('connection', (socket) => new Client(socket, parts).open());
}

type Handler = (payload: unknown) => unknown;

/** One connected client: its subscriptions, its sessions to orchestrate, its requests. */
class Client implements OrchestratorLink {
  readonly #socket: Socket;
  readonly #parts: GatewayParts;
  readonly #name: string | undefined;
  readonly #backlog: SocketBacklog;
  /** By session id; all sessions under ''. */
  readonly #subscriptions = new Map<string, { watcher: SocketWatcher; subscription: Subscription }>();
  readonly #orchestrates = new Set<string>();
  /** Sessions that another orchestrator has taken from this client. */
  readonly #superseded = new Set<string>();
  #isImplicit = false;

  constructor(socket: Socket, parts: GatewayParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#name = (socket.data as { hello: { client?: string } }).hello.client;
    this.#backlog = new SocketBacklog(socket, () => {
      parts.figures.slowConsumer();
      parts.log.warn({ client: this.#name, session: [...this.#subscriptions.keys()] }, 'slow consumer: disconnected');
    });
  }

  open(): void {
    const { session_id, subscribe } = (this.#socket.data as { hello: { session_id?: string; subscribe: boolean } }).hello;
    this.#on('subscribe', (payload) => this.#subscribe(payload));
    this.#on('unsubscribe', (payload) => this.#unsubscribe(payload));
    this.#on('publish', (payload) => {
      this.#endImplicit();
      return this.#parts.intake.publish(payload, this.#name, (id) => this.#mayPublish(id));
    });
    this.#on('cli_event', (payload) => {
      this.#endImplicit();
      return this.#parts.intake.publishCliEvent(payload, this.#name, (id) => this.#mayPublish(id)).then(() => ({ success: true }));
    });
    this.#on('command', (payload) => this.#command(payload), 'command:result');
    this.#on('command:update', (payload) => this.#update(payload));
    this.#on('orchestrator:attach', (payload) => this.#attach(payload));
    this.#on('ping', () => ({ timestamp: now() }), 'pong');
    this.#socket.on('disconnect', (reason) => this.#close(reason));
    const { epoch, version } = this.#parts;
    const connected: ConnectedMessage = {
      server_version: version,
      protocol: limits.protocol,
      epoch,
      session_id: session_id ?? null,
      capabilities,
      role: 'operator',
      timestamp: now(),
    };
    this.#socket.emit('connected', connected);
    if (!subscribe) return;
    this.#isImplicit = session_id === undefined;
    this.#subscribe({ session_id }).catch((error: unknown) => this.#problem(error));
  }

  async execute(command: Parameters<OrchestratorLink['execute']>[0]): Promise<void> {
    await this.#socket.timeout(deliveryTimeoutMs).emitWithAck('command:execute', command);
  }

  supersede(by: string): void {
    for (const sessionId of this.#orchestrates) {
      if (this.#parts.ledger.isAttached(sessionId, this)) continue;
      this.#orchestrates.delete(sessionId);
      this.#superseded.add(sessionId);
      this.#socket.emit('orchestrator:superseded', { session_id: sessionId, instance_id: by, timestamp: now() });
    }
  }

  /**
   * Registers a handler once for all: an answer or an error goes to the ack, or else to the named event. Whatever the
   * client sends, nothing is thrown into Socket.IO, where it would end the process.
   */
  #on(name: string, handler: Handler, answerName?: string): void {
    this.#socket.on(name, (...args: unknown[]) => {
      const last = args.at(-1);
      const ack = typeof last === 'function' ? (last as (answer: unknown) => void) : undefined;
      const payload = ack !== undefined && args.length === 1 ? undefined : args[0];
      if (this.#isFlooded()) return;
      const answer = (value: unknown) => {
        if (!this.#backlog.isOpen) return;
        ack?.(value);
        if (answerName !== undefined) this.#socket.emit(answerName, value);
      };
      const fail = (error: unknown) => {
        if (!(error instanceof ShannonDashError)) this.#problem(error);
        const body = errorBody(error);
        answer(body);
        if (ack === undefined && answerName === undefined && this.#backlog.isOpen)
          this.#socket.emit('server:error', { ...body, request: name });
      };
      try {
        const result = handler(payload);
        if (result instanceof Promise) result.then(answer, fail);
        else answer(result);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** One that asks and asks without reading the answers is cut like a slow watcher. */
  #isFlooded(): boolean {
    if (
      this.#socket.conn.transport.writable ||
      (this.#socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length < limits.publishEvents
    ) {
      return !this.#backlog.isOpen;
    }
    this.#backlog.cut();
    return true;
  }

  async #subscribe(payload: unknown): Promise<SubscribedMessage> {
    const request = parse(subscribeRequest, payload ?? {});
    const { session_id, event_types, batch } = request;
    const key = session_id ?? '';
    if (this.#subscriptions.size >= limits.subscriptionsPerConnection && !this.#subscriptions.has(key)) {
      throw new ShannonDashError(
        'LIMIT_REACHED',
        `A connection can have ${limits.subscriptionsPerConnection} subscriptions; subscribe to all sessions instead`,
      );
    }
    if (session_id !== undefined) this.#endImplicit();
    const filter = eventFilter(event_types);
    const watcher = new SocketWatcher(this.#socket, this.#backlog, {
      key: `${batch ? 'batch' : 'named'} ${(event_types ?? []).join(' ')}`,
      filter,
      batch,
    });
    this.#subscriptions.get(key)?.subscription.close();
    this.#subscriptions.delete(key);
    const subscribed = (cursor: { epoch: string; seq: number }): SubscribedMessage => ({
      success: true,
      session_id: session_id ?? null,
      event_types: event_types ?? ['*'],
      ...cursor,
      timestamp: now(),
    });
    let answer = subscribed({ epoch: this.#parts.epoch, seq: 0 });
    if (session_id === undefined) {
      this.#socket.emit('subscribed', answer);
      this.#subscriptions.set(key, { watcher, subscription: this.#parts.hub.subscribeAll(watcher, filter) });
    } else {
      const subscription = await this.#join(session_id, watcher, request, (cursor) => {
        answer = subscribed(cursor);
        this.#socket.emit('subscribed', answer);
      });
      this.#subscriptions.get(key)?.subscription.close();
      this.#subscriptions.set(key, { watcher, subscription });
    }
    this.#shareSessions();
    if (!this.#socket.connected) this.#close('left while joining');
    return answer;
  }

  #join(
    sessionId: string,
    watcher: SocketWatcher,
    { after, event_types }: SubscribeRequest,
    onJoined: (cursor: { epoch: string; seq: number }) => void,
  ) {
    return this.#parts.hub.subscribe(sessionId, watcher, { after, filter: eventFilter(event_types), onJoined });
  }

  #unsubscribe(payload: unknown): { success: true } {
    const { session_id } = parse(unsubscribeRequest, payload ?? {});
    for (const [key, { subscription }] of this.#subscriptions) {
      if (session_id != null && key !== session_id) continue;
      subscription.close();
      this.#subscriptions.delete(key);
    }
    this.#shareSessions();
    return { success: true };
  }

  /** What a subscription by name delivers, the one to all sessions leaves out: each event once. */
  #shareSessions(): void {
    const all = this.#subscriptions.get('');
    if (all === undefined) return;
    const named = [...this.#subscriptions.keys()].filter((key) => key !== '').toSorted();
    const [base = ''] = all.watcher.shape.key.split('\n');
    all.watcher.shape = { ...all.watcher.shape, key: [base, ...named].join('\n'), except: named.length === 0 ? undefined : new Set(named) };
  }

  /** Producers hear no echo unless they subscribe. */
  #endImplicit(): void {
    if (!this.#isImplicit) return;
    this.#isImplicit = false;
    this.#subscriptions.get('')?.subscription.close();
    this.#subscriptions.delete('');
  }

  #mayPublish(sessionId: string): void {
    if (this.#superseded.has(sessionId)) throw new ShannonDashError('SUPERSEDED', `Another orchestrator has taken over ${sessionId}`);
  }

  async #command(payload: unknown): Promise<unknown> {
    const request = parseCommand(payload);
    const named = [...this.#subscriptions.keys()].filter((key) => key !== '');
    return this.#parts.ledger.submit(request, this.#name ?? this.#socket.id, named.length === 1 ? named[0] : undefined);
  }

  async #attach(payload: unknown): Promise<unknown> {
    const request = parse(attachRequest, payload);
    this.#endImplicit();
    this.#superseded.delete(request.session_id);
    this.#orchestrates.add(request.session_id);
    try {
      return { success: true, ...(await this.#parts.ledger.attach(this, request)) };
    } catch (error) {
      this.#orchestrates.delete(request.session_id);
      if (error instanceof ShannonDashError && error.code === 'SUPERSEDED') this.#superseded.add(request.session_id);
      throw error;
    } finally {
      if (!this.#socket.connected) this.#close('left while attaching');
    }
  }

  async #update(payload: unknown): Promise<{ success: true }> {
    const { session_id, ...update } = parse(commandUpdate, payload);
    const [only] = this.#orchestrates;
    const sessionId = session_id ?? (this.#orchestrates.size === 1 ? only : undefined);
    if (sessionId === undefined) {
      if (this.#superseded.size > 0) throw new ShannonDashError('SUPERSEDED', 'Another orchestrator has taken over');
      throw new ShannonDashError('FORBIDDEN', 'Only an orchestrator can say how a command ended: attach first');
    }
    this.#mayPublish(sessionId);
    await this.#parts.ledger.update(this, sessionId, update);
    return { success: true };
  }

  #close(reason: string): void {
    for (const { subscription } of this.#subscriptions.values()) subscription.close();
    this.#subscriptions.clear();
    for (const sessionId of this.#orchestrates) {
      this.#parts.ledger.detach(sessionId, this, reason).catch((error: unknown) => this.#problem(error));
    }
    this.#orchestrates.clear();
  }

  #problem(error: unknown): void {
    this.#parts.log.error({ err: error, client: this.#name }, 'a request of a client failed');
  }
}

function now(): string {
  return new Date().toISOString();
}
