import type { Socket } from 'socket.io';
import { tcpSocketOf } from './tcp-socket.ts';

/** The part of Node's handle of a TCP socket that starts and stops reading: `net.Socket` has no public way to it. */
interface ReadHandle {
  /** False when the stream itself has stopped reading. */
  reading: boolean;
  readStart(): unknown;
  readStop(): unknown;
}

/**
 * Reads nothing more from a client while what it has published waits for its commit. Who publishes in a burst writes one
 * event at a time; what comes in the milliseconds in which a burst is gathered is read in one go after them, instead of
 * by twos and threes, each with a system call and a turn of the event loop, which cost more than all else that is done
 * for an event. And who publishes faster than the journal takes it is held back by TCP.
 */
export class PacedReading {
  readonly #socket: Socket;
  #waiting = 0;
  #stopped: ReadHandle | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** One more message waits for its commit. */
  enter(): void {
    this.#waiting++;
    if (this.#stopped !== undefined) return;
    const handle = handleOf(this.#socket);
    if (handle?.reading !== true) return;
    handle.readStop();
    this.#stopped = handle;
  }

  /** One of them waits no more, be it committed or refused. */
  leave(): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.#stopped === undefined) return;
    if (this.#stopped.reading && this.#stopped === handleOf(this.#socket)) this.#stopped.readStart();
    this.#stopped = undefined;
  }
}

function handleOf(socket: Socket): ReadHandle | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node's own name
  return (tcpSocketOf(socket.conn) as { _handle?: ReadHandle | null } | undefined)?._handle ?? undefined;
}
