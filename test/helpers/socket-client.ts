import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { isSessionMessage } from './session-messages.ts';

/** A message that a client was sent. */
export interface Heard {
  name: string;
  payload: Record<string, unknown>;
}

/** A plain socket.io-client that remembers everything it hears. */
export class SocketClient {
  readonly socket: Socket;
  readonly heard: Heard[] = [];
  readonly disconnects: string[] = [];
  readonly #events: SessionEvent[] = [];
  readonly #counts = new Map<string, number>();
  readonly #looks = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.onAny((name: string, payload: Record<string, unknown>) => {
      this.heard.push({ name, payload });
      if (!isSessionMessage(name)) this.#remember(name, payload);
      this.#look();
    });
    socket.on('disconnect', (reason) => {
      this.disconnects.push(reason);
      this.#look();
    });
    socket.on('connect', () => this.#look());
  }

  /** Resolves once the condition holds, looked at after each message. */
  until(what: string, holds: () => boolean, timeoutMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        settle();
      };
      const look = () => {
        if (holds()) end(resolve);
      };
      const timer = setTimeout(() => {
        const last = this.heard.slice(-8).map(({ name, payload }) => `${name} ${JSON.stringify(payload)?.slice(0, 200)}`);
        end(() => reject(new Error(`waited in vain for ${what}; heard ${this.heard.length} messages, the last:\n${last.join('\n')}`)));
      }, timeoutMs);
      this.#looks.add(look);
      look();
    });
  }

  /** The first message of this name, from now on or before. */
  async next(name: string, matches: (payload: Record<string, unknown>) => boolean = () => true): Promise<Record<string, unknown>> {
    const find = () => this.heard.find((each) => each.name === name && matches(each.payload));
    await this.until(name, () => find() !== undefined);
    return find()?.payload ?? {};
  }

  /** All payloads of this name so far. */
  all(name: string): Record<string, unknown>[] {
    return this.heard.filter((each) => each.name === name).map((each) => each.payload);
  }

  /** The events heard so far, single or in batches, in the order in which they came. */
  events(sessionId?: string): SessionEvent[] {
    return sessionId === undefined ? [...this.#events] : this.#events.filter((event) => event.session_id === sessionId);
  }

  async untilEvents(count: number, sessionId?: string, timeoutMs?: number): Promise<SessionEvent[]> {
    const heard = () => (sessionId === undefined ? this.#events.length : (this.#counts.get(sessionId) ?? 0));
    await this.until(`${count} events`, () => heard() >= count, timeoutMs);
    return this.events(sessionId);
  }

  /** Sends a request and gives the answer of its ack. */
  ask<Answer = Record<string, unknown>>(name: string, ...args: unknown[]): Promise<Answer> {
    return this.socket.timeout(15_000).emitWithAck(name, ...args) as Promise<Answer>;
  }

  publish(sessionId: string, events: readonly unknown[]): Promise<Record<string, unknown>> {
    return this.ask('publish', { session_id: sessionId, events });
  }

  close(): void {
    this.socket.disconnect();
  }

  #remember(name: string, payload: Record<string, unknown>): void {
    const events = name === 'events' ? (payload['events'] as SessionEvent[]) : [payload as unknown as SessionEvent];
    for (const event of events) {
      this.#events.push(event);
      this.#counts.set(event.session_id, (this.#counts.get(event.session_id) ?? 0) + 1);
    }
  }

  #look(): void {
    for (const look of this.#looks) look();
  }
}

export type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** Opens a connection without waiting for it; it is closed when the test ends. */
export function openClient(url: string, options: ClientOptions = {}): SocketClient {
  const client = new SocketClient(io(url, { forceNew: true, reconnection: false, transports: ['websocket'], ...options }));
  onTestFinished(() => client.close());
  return client;
}

/** Connects and waits for the server's greeting. */
export async function connectClient(url: string, options: ClientOptions = {}): Promise<SocketClient> {
  const client = openClient(url, options);
  await client.next('connected');
  return client;
}

/** A client that hears nothing it did not subscribe to. */
export function connectQuiet(url: string, options: ClientOptions = {}): Promise<SocketClient> {
  const auth = { ...(options.auth as Record<string, unknown> | undefined), subscribe: false };
  return connectClient(url, { ...options, auth });
}
