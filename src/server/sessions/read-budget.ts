import { limits } from '../../core/protocol/limits.ts';

/** A connection that data waits for. */
export interface BudgetReader {
  /** Bytes that wait for it. */
  readonly waitingBytes: number;
  /** A figure that changes whenever the connection takes something. */
  progress(): number;
  /** Cuts the connection. */
  cut(): void;
}

/** A part of the budget, reserved until the reader has taken the data that it stands for. */
export interface BudgetShare {
  /** Sets it to the size that the data came to. */
  resize(bytes: number): void;
  release(): void;
}

interface Request {
  bytes: number;
  isWanted: () => boolean;
  grant: (share: BudgetShare | undefined) => void;
}

/** How often the budget looks for readers that take nothing. */
const lookMs = 500;
/** Bytes of paced data that may be made in one turn of the event loop. */
const turnBytes = 1024 * 1024;

/**
 * Bounds the bytes that wait to be read, over all connections: events, states, histories, lists. Paced data is made only when
 * the budget has room for it. A reader that takes nothing for a long time is cut, and much sooner while others wait for room.
 */
export class ReadBudget {
  readonly #mostBytes: number;
  readonly #readers = new Map<BudgetReader, { progress: number; idleLooks: number }>();
  readonly #requests: Request[] = [];
  #bytes = 0;
  #turnBytes = 0;
  #turn: NodeJS.Immediate | undefined;
  #looking: NodeJS.Timeout | undefined;

  constructor(mostBytes: number = limits.waitingBytes) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Follows a reader until the returned function is called. */
  follow(reader: BudgetReader): () => void {
    this.#readers.set(reader, { progress: Number.NaN, idleLooks: 0 });
    this.#look();
    return () => void this.#readers.delete(reader);
  }

  /** Reserves room as soon as there is some. Resolves with undefined when the data is not wanted any more by then. */
  reserve(bytes: number, isWanted: () => boolean): Promise<BudgetShare | undefined> {
    return new Promise((grant) => {
      this.#requests.push({ bytes, isWanted, grant });
      if (this.#requests.length === 1) this.#grant();
    });
  }

  /** Counts live data, which does not wait for room. */
  charge(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#mostBytes * 2) this.#relieve();
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#requests.length > 0) this.#grant();
  }

  close(): void {
    clearInterval(this.#looking);
    clearImmediate(this.#turn);
    for (const { grant } of this.#requests.splice(0)) grant(undefined);
  }

  #grant(): void {
    let request = this.#requests[0];
    while (request !== undefined && this.#turnBytes < turnBytes && this.#bytes < this.#mostBytes) {
      this.#requests.shift();
      request.grant(request.isWanted() ? this.#share(request.bytes) : undefined);
      request = this.#requests[0];
    }
    if (this.#turnBytes > 0)
      this.#turn ??= setImmediate(() => {
        this.#turn = undefined;
        this.#turnBytes = 0;
        this.#grant();
      });
  }

  #share(reserved: number): BudgetShare {
    let bytes = reserved;
    this.#bytes += bytes;
    this.#turnBytes += bytes;
    const resize = (to: number) => {
      const freed = bytes - to;
      bytes = to;
      if (freed < 0) this.charge(-freed);
      else if (freed > 0) this.release(freed);
    };
    return { resize, release: () => resize(0) };
  }

  /** Looks at the readers from time to time, as long as there are any. */
  #look(): void {
    this.#looking ??= setInterval(() => {
      if (this.#readers.size === 0) {
        clearInterval(this.#looking);
        this.#looking = undefined;
        return;
      }
      for (const [reader, seen] of this.#readers) {
        const progress = reader.waitingBytes === 0 ? Number.NaN : reader.progress();
        seen.idleLooks = progress === seen.progress ? seen.idleLooks + 1 : 0;
        seen.progress = progress;
        if (seen.idleLooks * lookMs >= limits.unreadMs) reader.cut();
      }
      if (this.#requests.length > 0 && this.#bytes >= this.#mostBytes) this.#relieve();
    }, lookMs);
    this.#looking.unref();
  }

  /** Cuts the readers that have taken nothing for longest, until half of the budget is free. While all readers take something, requests wait. */
  #relieve(): void {
    const idle = [...this.#readers].filter(([, { idleLooks }]) => idleLooks * lookMs >= limits.unreadUnderPressureMs);
    for (const [reader] of idle.toSorted(([, a], [, b]) => b.idleLooks - a.idleLooks)) {
      if (this.#bytes < this.#mostBytes / 2) return;
      reader.cut();
    }
  }
}
