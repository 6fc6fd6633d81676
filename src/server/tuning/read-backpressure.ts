import type { Socket } from 'socket.io';
import { tcpSocketOf } from './tcp-socket.ts';
import type { Tuning } from './tuning.ts';

/** After so many messages without an answer at a time, the server reads on only this long after their commit. */
const burstMessages = 8;
const burstPauseMs = 2;

/** The part of Node's handle of a TCP socket that starts and stops reading. `net.Socket` has no public way to do that. */
interface ReadHandle {
  /** False when the stream itself has stopped reading. */
  reading: boolean;
  readStart(): unknown;
  readStop(): unknown;
}

/**
 * Stops reading from a client while the events that it has published wait for their commit. What the client sends
 * meanwhile is then read in one piece and committed together, and TCP slows down a client that publishes faster than the
 * journal takes it. After a burst of events that the client wants no answer to, the server reads on two milliseconds
 * later: such a client writes one event at a time, and to read two or three at a time, each with a system call and a turn
 * of the event loop, costs more than all else that is done for an event. A client that waits for answers sends nothing
 * meanwhile, so the server reads from it at once.
 */
export class ReadBackpressure {
  readonly #socket: Socket;
  readonly #tuning: Tuning;
  #waiting = 0;
  /** Messages since the server stopped reading that the client wants no answer to. */
  #unanswered = 0;
  #stopped: ReadHandle | undefined;
  #isResting = false;

  constructor(socket: Socket, tuning: Tuning) {
    this.#socket = socket;
    this.#tuning = tuning;
  }

  /** One more message waits for its commit. */
  enter(wantsAnswer: boolean): void {
    this.#waiting++;
    if (!wantsAnswer) this.#unanswered++;
    if (this.#stopped !== undefined) return;
    const handle = this.#handle();
    if (handle?.reading !== true) return;
    handle.readStop();
    this.#stopped = handle;
  }

  /** One of them was committed or refused. */
  leave(): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.#stopped === undefined) return;
    if (this.#unanswered < burstMessages) {
      this.#goOn();
    } else if (!this.#isResting) {
      this.#isResting = true;
      setTimeout(() => this.#goOn(), burstPauseMs);
    }
  }

  #goOn(): void {
    this.#isResting = false;
    if (this.#waiting > 0) return;
    this.#unanswered = 0;
    if (this.#stopped?.reading === true && this.#stopped === this.#handle()) this.#stopped.readStart();
    this.#stopped = undefined;
  }

  #handle(): ReadHandle | undefined {
    if (!this.#tuning.readBackpressure) return undefined;
    // oxlint-disable-next-line no-underscore-dangle -- Node's own name
    return (tcpSocketOf(this.#socket.conn, this.#tuning) as { _handle?: ReadHandle | null } | undefined)?._handle ?? undefined;
  }
}
