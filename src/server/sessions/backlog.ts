import type { Socket } from 'node:net';
import { limits } from '../../core/protocol/limits.ts';
import type { BudgetReader, BudgetShare, ReadBudget } from './read-budget.ts';

/** Why a client is cut that does not read: too much live data, or too many answers, wait for it; or it takes nothing of what waits. */
export type CutReason = 'backlog' | 'answers' | 'stalled';

export interface BacklogOptions {
  budget: ReadBudget;
  /** Bytes that the kernel has taken for the reader; a figure that at least changes with them where that is not known. */
  progress: () => number;
  /** The TCP connection that the data is on its way on, if that is known. */
  connection: () => Socket | undefined;
  /** Whether the data waits for the client to ask for it. Default: never. */
  isAway?: () => boolean;
  /** Drops the connection without a last message, which would only wait behind the rest. The reader reconnects by itself. */
  drop: () => void;
  /** Called when much live data begins to wait for the reader. */
  onBehind?: ((waitingBytes: number) => void) | undefined;
  /** Called when the connection is dropped because the reader does not read. */
  onCut: (reason: CutReason) => void;
}

/**
 * The data that waits for one connection. Live data is sent at once; a reader with too much live data waiting is cut. History
 * and large answers are paced: they are sent one after the other, each when the budget has room for it.
 */
export class Backlog implements BudgetReader {
  readonly #options: BacklogOptions;
  readonly #unfollow: () => void;
  readonly #drained: (() => void)[] = [];
  #pacedCount = 0;
  #liveBytes = 0;
  #pacedBytes = 0;
  #tail: Promise<void> | undefined;
  #isOpen = true;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#unfollow = options.budget.follow(this);
  }

  /** False once nothing is sent any more. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get waitingBytes(): number {
    return this.#liveBytes + this.#pacedBytes;
  }

  get wantsMore(): boolean {
    return this.#pacedCount > 0;
  }

  progress(): number {
    return this.#options.progress();
  }

  connection(): Socket | undefined {
    return this.#options.connection();
  }

  get isAway(): boolean {
    return this.#options.isAway?.() === true;
  }

  /** Whether live data may be sent. A reader with too much waiting is cut instead; it reconnects with its cursor. */
  admits(): boolean {
    if (this.#isOpen && this.#liveBytes > limits.backlogBytes) this.cut('backlog');
    return this.#isOpen;
  }

  /** Counts bytes that were written. */
  enter(bytes: number, isPaced: boolean): void {
    const hadLittle = this.#hasLittleWaiting();
    if (isPaced) this.#pacedBytes += bytes;
    else this.#liveBytes += bytes;
    if (!isPaced && hadLittle && !this.#hasLittleWaiting()) this.#options.onBehind?.(this.waitingBytes);
  }

  /** Counts bytes that the reader has taken. */
  leave(bytes: number, isPaced: boolean): void {
    if (isPaced) this.#pacedBytes -= bytes;
    else this.#liveBytes -= bytes;
    if (this.#hasLittleWaiting()) this.#wake();
  }

  /**
   * Sends paced data: after the reader has taken the paced data before it, and once the budget has room. Resolves when the
   * data is written, with false when the reader is gone.
   * @param room the bytes to reserve before the size is known, or a share that is reserved already
   * @param write returns how many bytes it has written
   */
  async paced(room: number | BudgetShare, write: () => number | Promise<number>): Promise<boolean> {
    const before = this.#tail;
    const turn = Promise.withResolvers<void>();
    this.#tail = turn.promise;
    this.#pacedCount++;
    let share = typeof room === 'number' ? undefined : room;
    try {
      if (before !== undefined) await before;
      if (!this.#hasLittleWaiting()) await this.drained();
      if (typeof room === 'number' && this.#isOpen) share = await this.#options.budget.reserve(room, () => this.#isOpen);
      if (share === undefined || !this.#isOpen) return false;
      share.resize(await write());
      return this.#isOpen;
    } finally {
      void this.#end(share, turn.resolve);
    }
  }

  /** Resolves once little is waiting, or the reader is gone. */
  drained(): Promise<void> {
    if (!this.#isOpen || this.#hasLittleWaiting()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Cuts a reader that does not read, also when all was written and it only does not take it. */
  cut(reason: CutReason = 'stalled'): void {
    const connection = this.connection();
    if (!this.#isOpen && connection?.destroyed !== false) return;
    this.#options.onCut(reason);
    // Closed in the usual way, the kernel would keep megabytes for minutes that the reader does not take.
    connection?.resetAndDestroy();
    this.drop();
  }

  drop(): void {
    if (!this.#isOpen) return;
    this.close();
    this.#options.drop();
  }

  /** To be called when the reader is gone. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unfollow();
    this.#wake();
  }

  async #end(share: BudgetShare | undefined, next: () => void): Promise<void> {
    await this.drained();
    share?.release();
    this.#pacedCount--;
    next();
  }

  #hasLittleWaiting(): boolean {
    return this.waitingBytes <= limits.pieceBytes / 2;
  }

  #wake(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
