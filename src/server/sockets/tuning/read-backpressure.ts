import type { Socket } from 'socket.io';
import { tcpSocketOf } from './tcp-socket.ts';

/** After so many messages without an answer at a time, the server reads on only this long after their commit. */
const burstMessages = 8;
const burstPauseMs = 2;

/** The part of Node's handle of a TCP socket that starts and stops reading: `net.Socket` has no public way to it. */
interface ReadHandle {
  /** False when the stream itself has stopped reading. */
  reading: boolean;
  readStart(): unknown;
  readStop(): unknown;
}

/**
 * Reads nothing more from a client while what it has published waits for its commit: what comes meanwhile is read in one
 * go and committed together, and TCP holds back a client that publishes faster than the journal takes it. After a burst
 * that the client wants no answer to, the server reads on two milliseconds later: such a client writes one event at a
 * time, and reading them by twos and threes, each with a system call and a turn of the event loop, costs more than all
 * else that is done for an event. A client that waits for answers is read from at once: it sends nothing meanwhile.
 */
export class ReadBackpressure {
  readonly #socket: Socket;
  #waiting = 0;
  /** Messages since reading was stopped that their sender wants no answer to. */
  #unanswered = 0;
  #stopped: ReadHandle | undefined;
  #isResting = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** One more message waits for its commit. */
  enter(wantsAnswer: boolean): void {
    this.#waiting++;
    if (!wantsAnswer) this.#unanswered++;
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
    if (this.#stopped?.reading === true && this.#stopped === handleOf(this.#socket)) this.#stopped.readStart();
    this.#stopped = undefined;
  }
}

function handleOf(socket: Socket): ReadHandle | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node's own name
  return (tcpSocketOf(socket.conn) as { _handle?: ReadHandle | null } | undefined)?._handle ?? undefined;
}
