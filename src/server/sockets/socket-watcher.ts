import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import { limits } from '../../core/protocol/limits.ts';
import type { JournalEvent } from '../../journal/journal.ts';
import { Backlog, type BacklogOptions } from '../sessions/backlog.ts';
import { Delivery, encodedMessage, type DeliveryShape, type EncodedDelivery } from '../sessions/watching/delivery.ts';
import type { ReadBudget } from '../sessions/read-budget.ts';
import { hardClose } from '../tuning/hard-close.ts';
import { pollAnswerOf, type PollAnswer } from '../tuning/poll-answer.ts';
import { writeDelivery } from '../tuning/pre-encoded-frames.ts';
import { tcpProgress } from '../tuning/tcp-progress.ts';
import { tcpSocketOf } from '../tuning/tcp-socket.ts';
import type { Tuning } from '../tuning/tuning.ts';
import { waitingPackets } from '../tuning/waiting-packets.ts';
import type { SessionMessage, Watcher } from '../sessions/watching/watcher.ts';

/** Data that was written and that the client has not taken yet. */
interface Written {
  bytes: number;
  /** A delivery that other clients may wait for too; undefined for data of this client alone, whose text is not kept. */
  shared: EncodedDelivery | undefined;
}

/** The data that waits for a client's connection. A client with too much of it is cut. */
export class SocketBacklog {
  readonly #socket: Socket;
  readonly #tuning: Tuning;
  readonly #budget: ReadBudget;
  readonly #backlog: Backlog;
  /** In the order in which they are taken. */
  readonly #written: Written[] = [];
  #takenBytes = 0;
  #isPolled = false;
  #poll: PollAnswer | undefined;
  /** How many of the oldest are in the answer to that poll. */
  #inPoll = 0;

  constructor(
    socket: Socket,
    { tuning, budget, onBehind, onCut }: Pick<BacklogOptions, 'budget' | 'onBehind' | 'onCut'> & { tuning: Tuning },
  ) {
    this.#socket = socket;
    this.#tuning = tuning;
    this.#budget = budget;
    this.#backlog = new Backlog({
      budget,
      progress: () => this.#progress(),
      connection: () => this.#connection(),
      isAway: () => this.#isPolled && tuning.pollAnswer && this.#connection() === undefined,
      drop: () => hardClose(socket.conn, tuning),
      onBehind,
      onCut,
    });
    socket.conn.once('close', () => {
      this.#backlog.close();
      while (this.#written.length > 0) this.#taken();
    });
  }

  /** False once the client was cut: nothing is sent any more. */
  get isOpen(): boolean {
    return this.#backlog.isOpen;
  }

  /** Writes live data. A client with too much waiting already is cut instead. */
  write(encoded: EncodedDelivery): void {
    if (this.#backlog.admits()) this.#write(encoded, false);
  }

  /** Writes paced data. Resolves once it is written, with false when the client is gone. */
  paced(mostBytes: number, encode: () => Promise<EncodedDelivery | undefined>): Promise<boolean> {
    return this.#backlog.paced(mostBytes, async () => {
      const encoded = await encode();
      if (encoded === undefined || !this.isOpen) return 0;
      this.#write(encoded, true);
      return encoded.frames.length;
    });
  }

  /** Sends an answer that may be large once there is room for it, and counts it until it was taken. */
  async answer(bytes: number, send: () => void): Promise<void> {
    await this.#backlog.paced(bytes, () => {
      send();
      const tcp = tcpSocketOf(this.#socket.conn, this.#tuning);
      if (tcp?.writableNeedDrain !== true) return 0;
      this.#backlog.enter(bytes, true);
      const onTaken = () => {
        tcp.off('drain', onTaken).off('close', onTaken);
        this.#backlog.leave(bytes, true);
      };
      tcp.on('drain', onTaken).on('close', onTaken);
      return bytes;
    });
  }

  drained(): Promise<void> {
    return this.#backlog.drained();
  }

  /** Whether anything may still be sent. A client that asks and asks without reading the answers is cut like a slow watcher. */
  takesAnswers(): boolean {
    const { count, chars } = waitingPackets(this.#socket.conn, this.#tuning);
    if (count >= limits.publishEvents || chars > limits.requestBytes) this.#backlog.cut('answers');
    return this.#backlog.isOpen;
  }

  drop(): void {
    this.#backlog.drop();
  }

  /** Writes encoded packets. On a WebSocket they go as one piece: one system call for a whole commit. */
  #write(encoded: EncodedDelivery, isPaced: boolean): void {
    const { conn } = this.#socket;
    const { frames } = encoded;
    this.#backlog.enter(frames.length, isPaced);
    // A delivery that many clients wait for is in memory once.
    if (!isPaced && encoded.waiting++ === 0) this.#budget.charge(frames.length);
    this.#written.push({ bytes: frames.length, shared: isPaced ? undefined : encoded });
    const isPolling = conn.transport.name !== 'websocket';
    // The client gets it with its next poll, and has taken it when the answer to that poll has ended.
    if (isPolling && !this.#isPolled) conn.on('flush', () => (this.#poll = pollAnswerOf(conn, this.#tuning)));
    this.#isPolled ||= isPolling;
    writeDelivery(conn, encoded, { tuning: this.#tuning, onTaken: isPolling ? this.#onPolled : this.#onTaken });
  }

  #progress(): number {
    const tcp = tcpSocketOf(this.#socket.conn, this.#tuning);
    return tcp === undefined ? this.#takenBytes + tcpProgress(this.#connection(), this.#tuning) : tcpProgress(tcp, this.#tuning);
  }

  #connection(): TcpSocket | undefined {
    const poll = this.#poll?.closed === false ? this.#poll.socket : undefined;
    return tcpSocketOf(this.#socket.conn, this.#tuning) ?? poll ?? undefined;
  }

  readonly #onPolled = () => {
    if (this.#poll === undefined || this.#poll.closed) this.#taken();
    else if (this.#inPoll++ === 0) this.#poll.once('close', this.#onPollTaken);
  };

  readonly #onPollTaken = () => {
    for (; this.#inPoll > 0; this.#inPoll--) this.#taken();
  };

  readonly #onTaken = () => this.#taken();

  #taken(): void {
    const written = this.#written.shift();
    if (written === undefined) return;
    const { bytes, shared } = written;
    this.#takenBytes += bytes;
    if (shared !== undefined && --shared.waiting === 0) {
      this.#budget.release(bytes);
      shared.onTaken?.();
    }
    this.#backlog.leave(bytes, shared === undefined);
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

  replay(read: () => Promise<readonly JournalEvent[]>): Promise<boolean> {
    return this.#backlog.paced(limits.pieceBytes, async () => new Delivery(await read()).encoded(this.shape));
  }

  tell(message: SessionMessage): void {
    if (this.#wants(message)) this.#backlog.write(encodedMessage(message.name, message.payload));
  }

  tellPaced(message: () => Promise<SessionMessage | undefined>): Promise<boolean> {
    return this.#backlog.paced(limits.requestBytes, async () => {
      const found = await message();
      return found === undefined || !this.#wants(found) ? undefined : encodedMessage(found.name, found.payload);
    });
  }

  drained(): Promise<void> {
    return this.#backlog.drained();
  }

  cut(): void {
    this.#backlog.drop();
  }

  #wants({ payload }: SessionMessage): boolean {
    const sessionId = 'session' in payload ? payload.session.session_id : payload.session_id;
    return this.shape.except?.has(sessionId) !== true;
  }
}
