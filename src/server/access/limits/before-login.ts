import type { Socket } from 'node:net';
import { accessLimits } from '../../../core/protocol/limits.ts';
import { CountedLog } from '../../counted-log.ts';
import type { ServerLog } from '../../server-log.ts';
import { networkOf } from './caller-address.ts';

const { loginMs, loginBytes, unknownConnections, unknownConnectionsPerAddress } = accessLimits;

/** A connection whose caller is not known. */
interface Waiting {
  address: string;
  timer: ReturnType<typeof setTimeout>;
  /** Counts what a WebSocket sends. */
  onData?: (chunk: Buffer) => void;
}

/** Connections whose callers need a token and have shown none: they have little time, and there are few of them. */
export class BeforeLogin {
  readonly #waiting = new Map<Socket, Waiting>();
  readonly #byAddress = new Map<string, number>();
  readonly #most: () => number;
  readonly #isProxy: (address: string | undefined) => boolean;
  readonly #refusals: CountedLog;

  /**
   * @param held how many connections the server can hold
   * @param isProxy whether an address is that of a trusted proxy, through which many call
   */
  constructor({ held, isProxy, log }: { held: () => number; isProxy: (address: string | undefined) => boolean; log: ServerLog }) {
    this.#most = () => Math.min(unknownConnections, Math.floor(held() / 2));
    this.#isProxy = isProxy;
    this.#refusals = new CountedLog(log);
  }

  /** From now on the connection waits for its caller to become known. @returns false where too many do, and it was destroyed */
  begin(socket: Socket): boolean {
    if (this.#waiting.has(socket)) return true;
    if (socket.destroyed) return false;
    const address = networkOf(socket.remoteAddress);
    const ofAddress = this.#byAddress.get(address) ?? 0;
    const isFull =
      this.#waiting.size >= this.#most() || (ofAddress >= unknownConnectionsPerAddress && !this.#isProxy(socket.remoteAddress));
    if (isFull) {
      this.#refuse(socket, 'too many connections without a token: refused');
      return false;
    }
    const timer = setTimeout(() => this.#refuse(socket, 'a connection without a token: closed'), loginMs).unref();
    this.#waiting.set(socket, { address, timer });
    this.#byAddress.set(address, ofAddress + 1);
    socket.once('close', () => this.known(socket));
    return true;
  }

  /** The connection becomes a WebSocket: what it sends is not read beyond the bound. */
  boundMessages(socket: Socket): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) return;
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > loginBytes) this.#refuse(socket, 'too large a message before a token: closed');
    };
    const bound = () => {
      if (!this.#waiting.has(socket)) return;
      waiting.onData = onData;
      socket.prependListener('data', onData);
    };
    // As long as nobody reads, nothing comes in, and a listener of ours would lose what does.
    const onListener = (name: string | symbol) => {
      if (name !== 'data') return;
      socket.off('newListener', onListener);
      queueMicrotask(bound);
    };
    if (socket.listenerCount('data') > 0) bound();
    else socket.on('newListener', onListener);
  }

  /** Its request has come in whole: the time until the answer is the server's own. The connection ends with the answer. */
  answering(socket: Socket): void {
    clearTimeout(this.#waiting.get(socket)?.timer);
  }

  /** Its caller has shown a token, or it is closed. */
  known(socket: Socket): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) return;
    const { address, timer, onData } = waiting;
    clearTimeout(timer);
    if (onData !== undefined) socket.off('data', onData);
    this.#waiting.delete(socket);
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }

  #refuse(socket: Socket, sentence: string): void {
    this.#refusals.warn(sentence, { rule: 'login', address: socket.remoteAddress }, sentence);
    socket.destroy();
  }
}
