import type { Socket } from 'socket.io';
import { limits } from '../core/limits.ts';
import type { JournalEvent } from '../journal/journal.ts';
import { Delivery, encodedMessage, type DeliveryShape, type EncodedDelivery } from './delivery.ts';
import type { SessionMessage, Watcher } from './hub.ts';

/** Bytes that may wait: of events, and of the states of many large sessions that are joined at once. */
const mostBytes = { events: limits.backlogBytes, states: 32 * 1024 * 1024 };

/** What a client's connection has waiting, and what happens when it is too much. */
export class SocketBacklog {
  readonly #socket: Socket;
  readonly #onCut: () => void;
  readonly #drained: (() => void)[] = [];
  readonly #waitingBytes = { events: 0, states: 0 };
  #isCut = false;

  constructor(socket: Socket, onCut: () => void) {
    this.#socket = socket;
    this.#onCut = onCut;
    socket.conn.once('close', () => {
      this.#isCut = true;
      this.#wake();
    });
  }

  /** False once the client was cut: nothing is sent any more. */
  get isOpen(): boolean {
    return !this.#isCut;
  }

  /**
   * Writes encoded packets. On a WebSocket they go as one piece: one system call for a whole commit. A client with too
   * much waiting already is cut instead; it comes back with its cursor.
   */
  write({ packets, frames }: EncodedDelivery, kind: keyof typeof mostBytes = 'events'): void {
    if (this.#isCut) return;
    if (this.#waitingBytes[kind] > mostBytes[kind]) {
      this.cut();
      return;
    }
    const { conn } = this.#socket;
    const sent = (bytes: number) => () => {
      this.#waitingBytes[kind] -= bytes;
      if (this.#hasLittleWaiting()) this.#wake();
    };
    if (conn.transport.name === 'websocket') {
      this.#waitingBytes[kind] += frames.length;
      // Engine.IO hands `wsPreEncodedFrame` to ws as it is; the text is what it would encode itself, used only by logs.
      conn.write(packets[0] ?? '', { wsPreEncodedFrame: [frames] } as unknown as Parameters<typeof conn.write>[1], sent(frames.length));
      return;
    }
    for (const packet of packets) {
      this.#waitingBytes[kind] += packet.length;
      conn.write(packet, {}, sent(packet.length));
    }
  }

  /** Too much is waiting. */
  cut(): void {
    if (this.#isCut) return;
    this.#onCut();
    this.drop();
  }

  /** Drops the connection without a farewell, which would only wait behind the rest. The client reconnects by itself. */
  drop(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#socket.conn.close(true);
    const { transport } = this.#socket.conn as unknown as { transport: { socket?: { terminate?: () => void } } };
    transport.socket?.terminate?.();
    this.#wake();
  }

  /** Resolves once little is waiting, or the client is gone. */
  drained(): Promise<void> {
    if (this.#isCut || this.#hasLittleWaiting()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #hasLittleWaiting(): boolean {
    return this.#waitingBytes.events <= mostBytes.events / 4;
  }

  #wake(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** One subscription of a Socket.IO client. */
export class SocketWatcher implements Watcher {
  readonly #backlog: SocketBacklog;
  shape: DeliveryShape;

  constructor(backlog: SocketBacklog, shape: DeliveryShape) {
    this.#backlog = backlog;
    this.shape = shape;
  }

  deliver(delivery: Delivery): void {
    const encoded = delivery.encoded(this.shape);
    if (encoded !== undefined) this.#backlog.write(encoded);
  }

  async replay(events: readonly JournalEvent[]): Promise<void> {
    this.deliver(new Delivery(events));
    await this.#backlog.drained();
  }

  tell({ name, payload }: SessionMessage): void {
    const sessionId = 'session' in payload ? payload.session.session_id : payload.session_id;
    if (this.shape.except?.has(sessionId) !== true) this.#backlog.write(encodedMessage(name, payload), 'states');
  }

  cut(): void {
    this.#backlog.drop();
  }
}
