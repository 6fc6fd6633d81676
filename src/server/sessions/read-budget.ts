import type { Socket } from 'node:net';
import { limits } from '../../core/protocol/limits.ts';
import type { KernelSockets } from '../kernel-sockets.ts';

/** A connection that data waits for. */
export interface BudgetReader {
  /** Bytes that wait for it. */
  readonly waitingBytes: number;
  /** Whether there is more for it, that is made once there is room. */
  readonly wantsMore: boolean;
  /** Bytes that the kernel has taken for the connection; a figure that at least changes with them where that is not known. */
  progress(): number;
  /** The TCP connection that the data is on its way on, if that is known. */
  connection(): Socket | undefined;
  /** True while the data waits for the client to ask for it. */
  readonly isAway: boolean;
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

/** Requests of one size, in the order in which they came. They are granted while less than this waits to be read. */
interface Lane {
  readonly requests: Request[];
  readonly mostBytes: number;
}

/** What the budget knows of a reader since it looked last. */
interface Seen {
  progress: number;
  /** In how many looks, one after the other, there was something for it. */
  looksWithData: number;
  /** For so many looks nothing says that the reader has taken something. */
  idleLooks: number;
  /** How long ago it took something last. */
  idleMs: number;
  /** What of `progress` the other end had acknowledged; undefined: the kernel has not told since there is something for it. */
  acknowledgedBytes: number | undefined;
  /** Everything was handed to the kernel, which may keep megabytes for a reader that does not read. */
  isEnded: boolean;
}

/** How often the budget looks for readers that take nothing. */
const lookMs = 500;
/** A look takes longer on a busy machine. More than this does not count: a machine that slept has left nobody the time to read. */
const mostLookMs = 4 * lookMs;
/**
 * From here on the kernel is asked what a reader takes: it has room for megabytes that the reader does not read, and says late that
 * it has room again for more.
 */
const askedLooks = 2;
/** Bytes of paced data that may be made in one turn of the event loop. */
const turnBytes = 1024 * 1024;

/** What large data may take of the budget, so that pieces of histories need not wait for it. */
const largePart = 3 / 4;

/**
 * Bounds the bytes that wait to be read, over all connections: events, states, histories, lists. Paced data is made only when
 * the budget has room for it. A reader that takes nothing for a long time is cut; the fuller the budget, the sooner.
 */
export class ReadBudget {
  readonly #kernel: Pick<KernelSockets, 'near'>;
  readonly #mostBytes: number;
  readonly #readers = new Map<BudgetReader, Seen>();
  readonly #pieces: Lane;
  readonly #large: Lane;
  #bytes = 0;
  #turnBytes = 0;
  #turn: NodeJS.Immediate | undefined;
  #looking: NodeJS.Timeout | undefined;
  #lookedAt = 0;

  constructor(kernel: Pick<KernelSockets, 'near'>, mostBytes: number = limits.waitingBytes) {
    this.#kernel = kernel;
    this.#mostBytes = mostBytes;
    this.#pieces = { requests: [], mostBytes };
    this.#large = { requests: [], mostBytes: mostBytes * largePart };
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Follows a reader, until the returned function is called and the other end has taken everything. */
  follow(reader: BudgetReader): () => void {
    const seen = { progress: Number.NaN, looksWithData: 0, idleLooks: 0, idleMs: 0, acknowledgedBytes: undefined, isEnded: false };
    this.#readers.set(reader, seen);
    if (this.#looking === undefined) {
      this.#lookedAt = performance.now();
      this.#looking = setTimeout(() => void this.#look(), lookMs).unref();
    }
    return () => void (seen.isEnded = true);
  }

  /** Reserves room as soon as there is some. Resolves with undefined when the data is not wanted any more by then. */
  reserve(bytes: number, isWanted: () => boolean): Promise<BudgetShare | undefined> {
    const { requests } = bytes > limits.pieceBytes ? this.#large : this.#pieces;
    return new Promise((grant) => {
      requests.push({ bytes, isWanted, grant });
      if (requests.length === 1) this.#grant();
    });
  }

  /** Counts live data, which does not wait for room. */
  charge(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#mostBytes * 2) this.#cutIdle();
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
    this.#grant();
  }

  close(): void {
    clearTimeout(this.#looking);
    this.#readers.clear();
    clearImmediate(this.#turn);
    for (const { requests } of [this.#pieces, this.#large]) for (const { grant } of requests.splice(0)) grant(undefined);
  }

  #grant(): void {
    for (const { requests, mostBytes } of [this.#pieces, this.#large]) {
      while (requests.length > 0 && this.#turnBytes < turnBytes && this.#bytes < mostBytes) {
        const request = requests.shift();
        request?.grant(request.isWanted() ? this.#share(request.bytes) : undefined);
      }
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
  async #look(): Promise<void> {
    const asked: [BudgetReader, Seen][] = [];
    const now = performance.now();
    const sinceMs = Math.min(now - this.#lookedAt, mostLookMs);
    this.#lookedAt = now;
    for (const [reader, seen] of this.#readers) {
      const hasData = reader.waitingBytes > 0 || reader.wantsMore || seen.isEnded;
      const progress = hasData ? reader.progress() : Number.NaN;
      const isTold = hasData && seen.acknowledgedBytes !== undefined;
      if (!isTold && progress !== seen.progress) Object.assign(seen, { idleLooks: 0, idleMs: 0, acknowledgedBytes: undefined });
      else Object.assign(seen, { idleLooks: seen.idleLooks + 1, idleMs: seen.idleMs + sinceMs });
      Object.assign(seen, { progress, looksWithData: hasData ? seen.looksWithData + 1 : 0 });
      if (seen.isEnded || seen.looksWithData >= askedLooks) asked.push([reader, seen]);
    }
    await Promise.all(asked.map((each) => this.#ask(...each)));
    this.#cutIdle();
    this.#looking = this.#readers.size === 0 ? undefined : setTimeout(() => void this.#look(), lookMs).unref();
  }

  /** Asks the kernel whether the other end of a reader has taken something since the last time. */
  async #ask(reader: BudgetReader, seen: Seen): Promise<void> {
    const connection = reader.connection();
    const progress = reader.progress();
    const bytes = connection && (await this.#kernel.near(connection))?.unacknowledgedBytes;
    if (seen.isEnded && (bytes ?? 0) === 0) this.#readers.delete(reader);
    if (bytes === undefined) {
      if (seen.acknowledgedBytes !== undefined) Object.assign(seen, { idleLooks: 0, idleMs: 0, acknowledgedBytes: undefined });
      return;
    }
    // The kernel has got more meanwhile, before it told or after that: the next look says what was acknowledged.
    const isCertain = reader.progress() === progress;
    const hasTaken = bytes === 0 || (isCertain && seen.acknowledgedBytes !== progress - bytes);
    if (hasTaken) seen.idleMs = 0;
    if (hasTaken || !isCertain) seen.idleLooks = 0;
    if (isCertain) seen.acknowledgedBytes = progress - bytes;
  }

  /** Cuts readers that have taken nothing for too long, those first that have for longest. While all take something, requests wait. */
  #cutIdle(): void {
    const othersWait = this.#pieces.requests.length > 0 || this.#large.requests.length > 0;
    let bytes = this.#bytes;
    const idle = [...this.#readers].filter(([, { idleLooks }]) => idleLooks >= askedLooks);
    for (const [reader, seen] of idle.toSorted(([, a], [, b]) => b.idleMs - a.idleMs)) {
      const waitingBytes = seen.isEnded ? 0 : reader.waitingBytes;
      // Where the kernel does not tell, it may say very late that a slow reader has taken something.
      const isTold = reader.isAway || seen.acknowledgedBytes !== undefined;
      const room = othersWait ? 0 : 1 - bytes / this.#mostBytes;
      const patienceMs = (isTold ? limits.unreadMs : limits.unreadUntoldMs) * room;
      if (waitingBytes === 0 && seen.acknowledgedBytes === undefined) continue;
      if (seen.idleMs < Math.max(patienceMs, limits.unreadUnderPressureMs)) continue;
      bytes -= waitingBytes;
      reader.cut();
    }
  }
}
