import { limits } from '../../core/protocol/limits.ts';

/** Somebody whom something waits for. */
export interface BudgetReader {
  /** Bytes that wait for it. */
  readonly waitingBytes: number;
  /** A figure that changes whenever it takes something. */
  progress(): number;
  /** Lets it go. */
  cut(): void;
}

/** A part of the budget, held until what it stands for was taken. */
export interface BudgetShare {
  /** As many bytes as it came to. */
  resize(bytes: number): void;
  release(): void;
}

interface Request {
  bytes: number;
  isWanted: () => boolean;
  grant: (share: BudgetShare | undefined) => void;
}

/** How often is looked who takes nothing. */
const lookMs = 500;
/** Bytes that may be made in one turn of the event loop for those who can wait. */
const turnBytes = 1024 * 1024;

/**
 * How much may wait to be read, over all connections: events, states, histories, lists. What can wait is made only when there is
 * room for it. Who takes nothing for a long time is cut, and much sooner while others wait for the room.
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

  /** Looks after a reader until what this gives is called. */
  follow(reader: BudgetReader): () => void {
    this.#readers.set(reader, { progress: Number.NaN, idleLooks: 0 });
    this.#look();
    return () => void this.#readers.delete(reader);
  }

  /** Room for so many bytes, as soon as there is some; undefined for who does not want it any more by then. */
  reserve(bytes: number, isWanted: () => boolean): Promise<BudgetShare | undefined> {
    return new Promise((grant) => {
      this.#requests.push({ bytes, isWanted, grant });
      if (this.#requests.length === 1) this.#grant();
    });
  }

  /** What cannot wait: it counts as well. */
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

  /** Looks from time to time as long as there is anybody to look after. */
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

  /** Cuts those that have taken nothing for longest, until half is free. If all take something, what has no room waits. */
  #relieve(): void {
    const idle = [...this.#readers].filter(([, { idleLooks }]) => idleLooks * lookMs >= limits.unreadUnderPressureMs);
    for (const [reader] of idle.toSorted(([, a], [, b]) => b.idleLooks - a.idleLooks)) {
      if (this.#bytes < this.#mostBytes / 2) return;
      reader.cut();
    }
  }
}
