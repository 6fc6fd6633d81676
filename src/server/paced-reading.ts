import type { Socket } from 'socket.io';
import { burstAppends, gatherMs } from '../journal/append-queue.ts';
import { tcpSocketOf } from './tcp-socket.ts';

/** The part of Node's handle of a TCP socket that starts and stops reading: `net.Socket` has no public way to it. */
interface ReadHandle {
  /** False when the stream itself has stopped reading. */
  reading: boolean;
  readStart(): unknown;
  readStop(): unknown;
}

/**
 * Reads nothing more from a client while what it has published waits for its commit and, in a burst, for about two
 * milliseconds after that. Who publishes in a burst writes one event at a time; what has come in the meantime is read in
 * one go and committed together, instead of by twos and threes, each with a system call and a turn of the event loop,
 * which cost more than all else that is done for an event. And who publishes faster than the journal takes it is held back
 * by TCP.
 */
export class PacedReading {
  readonly #socket: Socket;
  #waiting = 0;
  /** Messages since reading was stopped. */
  #taken = 0;
  #stopped: ReadHandle | undefined;
  #isResting = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** One more message waits for its commit. */
  enter(): void {
    this.#waiting++;
    this.#taken++;
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
    if (this.#taken < burstAppends) {
      this.#goOn();
    } else if (!this.#isResting) {
      this.#isResting = true;
      setTimeout(() => this.#goOn(), gatherMs);
    }
  }

  #goOn(): void {
    this.#isResting = false;
    if (this.#waiting > 0) return;
    this.#taken = 0;
    if (this.#stopped?.reading === true && this.#stopped === handleOf(this.#socket)) this.#stopped.readStart();
    this.#stopped = undefined;
  }
}

function handleOf(socket: Socket): ReadHandle | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node's own name
  return (tcpSocketOf(socket.conn) as { _handle?: ReadHandle | null } | undefined)?._handle ?? undefined;
}
