import { limits } from '../../core/protocol/limits.ts';
import type { BudgetReader, BudgetShare, ReadBudget } from './read-budget.ts';

export interface BacklogOptions {
  budget: ReadBudget;
  /** A figure that changes whenever the reader takes something. */
  progress: () => number;
  /** Drops the connection, without a farewell that would only wait behind the rest. The reader comes back by itself. */
  drop: () => void;
  /** It begins to have much of what is new waiting. */
  onBehind?: ((waitingBytes: number) => void) | undefined;
  /** It is dropped because it does not read. */
  onCut: () => void;
}

/**
 * What one connection has waiting. What is new is sent at once, and who has too much of it waiting is cut. What can wait, of the
 * past or large, is sent one after the other, each when there is room for it.
 */
export class Backlog implements BudgetReader {
  readonly #options: BacklogOptions;
  readonly #unfollow: () => void;
  readonly #drained: (() => void)[] = [];
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

  progress(): number {
    return this.#options.progress();
  }

  /** Whether something new may be sent. Who has too much waiting is cut instead; it comes back with its cursor. */
  admits(): boolean {
    if (this.#isOpen && this.#liveBytes > limits.backlogBytes) this.cut();
    return this.#isOpen;
  }

  /** So many bytes were written. */
  enter(bytes: number, isPaced: boolean): void {
    const hadLittle = this.#hasLittleWaiting();
    if (isPaced) this.#pacedBytes += bytes;
    else this.#liveBytes += bytes;
    if (!isPaced && hadLittle && !this.#hasLittleWaiting()) this.#options.onBehind?.(this.waitingBytes);
  }

  /** They were taken. */
  leave(bytes: number, isPaced: boolean): void {
    if (isPaced) this.#pacedBytes -= bytes;
    else this.#liveBytes -= bytes;
    if (this.#hasLittleWaiting()) this.#wake();
  }

  /**
   * Sends what can wait: after all that was asked for here before was taken, and once the budget has room for it. Resolves
   * when it is written; false where the reader is gone.
   * @param room what is to be reserved for it, before its size is known, or what is reserved already
   * @param write gives the bytes that it came to
   */
  async paced(room: number | BudgetShare, write: () => number | Promise<number>): Promise<boolean> {
    const before = this.#tail;
    const turn = Promise.withResolvers<void>();
    this.#tail = turn.promise;
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

  /** It does not read. */
  cut(): void {
    if (!this.#isOpen) return;
    this.#options.onCut();
    this.drop();
  }

  drop(): void {
    if (!this.#isOpen) return;
    this.close();
    this.#options.drop();
  }

  /** The reader is gone. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unfollow();
    this.#wake();
  }

  async #end(share: BudgetShare | undefined, next: () => void): Promise<void> {
    await this.drained();
    share?.release();
    next();
  }

  #hasLittleWaiting(): boolean {
    return this.waitingBytes <= limits.pieceBytes / 2;
  }

  #wake(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
