import { setTimeout as wait } from 'node:timers/promises';

/** So often somebody who waits looks whether the speed was changed. */
const lookMs = 50;
const [slowest, fastest] = [1 / 64, 65_536];

/** The time of a recording as it goes by again: faster or slower, paused, and gone on from. */
export class Playback {
  readonly #maxPauseMs: number;
  readonly #signal: AbortSignal;
  #speed: number;
  #isPaused = false;
  /** The time of the recording that it stands at, and when it stood there by the monotonic clock. */
  #at: { recordedMs: number; realMs: number } | undefined;
  /** How much time of the recording was left out, as pauses that are too long. */
  #skippedMs = 0;
  #lastMs = -Infinity;

  /** @param signal ends every wait */
  constructor({ speed, maxPauseMs, signal }: { speed: number; maxPauseMs: number; signal: AbortSignal }) {
    this.#speed = speed;
    this.#maxPauseMs = maxPauseMs;
    this.#signal = signal;
  }

  get speed(): number {
    return this.#speed;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#move();
    this.#isPaused = true;
  }

  goOn(): void {
    this.#move();
    this.#isPaused = false;
  }

  changeSpeed(factor: number): void {
    this.#move();
    this.#speed = Math.min(fastest, Math.max(slowest, this.#speed * factor));
  }

  /** Waits until an event is due that was recorded at this time. Times that go back are those of another clock: nothing is waited for. */
  async due(recordedMs: number): Promise<void> {
    if (Number.isFinite(this.#lastMs)) {
      // At a speed of 8 a pause of the recording takes an eighth.
      const pauseMs = recordedMs - this.#lastMs;
      if (pauseMs < 0) this.#skippedMs += pauseMs;
      else this.#skippedMs += Math.max(0, pauseMs - this.#maxPauseMs * this.#speed);
    }
    this.#lastMs = recordedMs;
    const dueMs = recordedMs - this.#skippedMs;
    this.#at ??= { recordedMs: dueMs, realMs: performance.now() };
    while (!this.#signal.aborted) {
      this.#move();
      const leftMs = (dueMs - this.#at.recordedMs) / this.#speed;
      if (!this.#isPaused && leftMs <= 0) return;
      await wait(this.#isPaused ? lookMs : Math.min(lookMs, leftMs), undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  /** Time that was spent otherwise is no time of the recording. */
  standStill(): void {
    if (this.#at !== undefined) this.#at.realMs = performance.now();
  }

  #move(): void {
    if (this.#at === undefined) return;
    const realMs = performance.now();
    if (!this.#isPaused) this.#at.recordedMs += (realMs - this.#at.realMs) * this.#speed;
    this.#at.realMs = realMs;
  }
}
