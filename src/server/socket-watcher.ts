import type { Socket } from 'socket.io';
import { limits } from '../core/limits.ts';
import type { JournalEvent } from '../journal/journal.ts';
import { Delivery, type DeliveryShape, type EncodedDelivery } from './delivery.ts';
import type { SessionMessage, Watcher } from './hub.ts';

/** What a client's connection has waiting, and what happens when it is too much. */
export class SocketBacklog {
  readonly #socket: Socket;
  readonly #onCut: () => void;
  readonly #drained: (() => void)[] = [];
  #waitingBytes = 0;
  #isCut = false;

  constructor(socket: Socket, onCut: () => void) {
    this.#socket = socket;
    this.#onCut = onCut;
    socket.conn.once('close', () => {
      this.#isCut = true;
      this.#wake();
    });
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** False once the client was cut: nothing is sent any more. */
  get isOpen(): boolean {
    return !this.#isCut;
  }

  /**
   * Writes encoded packets. On a WebSocket they go as one piece: one system call for a whole commit. A client with too
   * much waiting already is cut instead; it comes back with its cursor.
   */
  write({ packets, frames }: EncodedDelivery): void {
    if (this.#isCut) return;
    if (this.#waitingBytes > limits.backlogBytes) {
      this.cut();
      return;
    }
    const { conn } = this.#socket;
    const sent = (bytes: number) => () => {
      this.#waitingBytes -= bytes;
      if (this.#waitingBytes <= limits.backlogBytes / 4) this.#wake();
    };
    if (conn.transport.name === 'websocket') {
      this.#waitingBytes += frames.length;
      // Engine.IO hands `wsPreEncodedFrame` to ws as it is; the text is what it would encode itself, used only by logs.
      conn.write(packets[0] ?? '', { wsPreEncodedFrame: [frames] } as unknown as Parameters<typeof conn.write>[1], sent(frames.length));
      return;
    }
    for (const packet of packets) {
      this.#waitingBytes += packet.length;
      conn.write(packet, {}, sent(packet.length));
    }
  }

  /** Drops the connection without a farewell, which would only wait behind the rest. The client reconnects by itself. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#onCut();
    this.#socket.conn.close(true);
    const { transport } = this.#socket.conn as unknown as { transport: { socket?: { terminate?: () => void } } };
    transport.socket?.terminate?.();
    this.#wake();
  }

  /** Resolves once little is waiting, or the client is gone. */
  drained(): Promise<void> {
    if (this.#isCut || this.#waitingBytes <= limits.backlogBytes / 4) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** One subscription of a Socket.IO client. */
export class SocketWatcher implements Watcher {
  readonly #socket: Socket;
  readonly #backlog: SocketBacklog;
  shape: DeliveryShape;

  constructor(socket: Socket, backlog: SocketBacklog, shape: DeliveryShape) {
    this.#socket = socket;
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
    if (this.#backlog.isOpen && this.shape.except?.has(sessionId) !== true) this.#socket.emit(name, payload);
  }
}
