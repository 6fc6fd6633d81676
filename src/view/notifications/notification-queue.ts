import { notificationLimits } from '../../core/protocol/limits.ts';

const { waiting: mostWaiting, collectMs, perMinute } = notificationLimits;
const minuteMs = 60_000;

/**
 * What waits to be told in one way, and when. What comes within a second is told together, type by type; after some in a minute the
 * rest waits, and is told together too. So a storm of one type becomes one notification.
 */
export class NotificationQueue<Item extends { type: string }> {
  #waiting: Item[] = [];
  #taken: Item[] = [];
  #since = 0;
  /** When the last ones were told. */
  readonly #told: number[] = [];
  #letGo = 0;

  /** What is not told yet, the oldest first. */
  get untold(): readonly Item[] {
    return [...this.#taken, ...this.#waiting];
  }

  /** How many of the oldest there was no room for since something was told. */
  get letGo(): number {
    return this.#letGo;
  }

  add(item: Item, nowMs: number): void {
    if (this.#waiting.length === 0) this.#since = nowMs;
    this.#waiting.push(item);
    if (this.#waiting.length <= mostWaiting) return;
    this.#waiting.shift();
    this.#letGo++;
  }

  /** Milliseconds until the next ones may be told; undefined: nothing waits. */
  dueInMs(nowMs: number): number | undefined {
    if (this.#waiting.length === 0) return undefined;
    const oldest = this.#told.length < perMinute ? undefined : this.#told[0];
    const [collected, paced] = [this.#since + collectMs, oldest === undefined ? 0 : oldest + minuteMs];
    return Math.max(0, collected - nowMs, paced - nowMs);
  }

  /** Takes what is of the type of the oldest. It stays untold until `end` is called. */
  take(): readonly Item[] {
    const type = this.#waiting[0]?.type;
    this.#taken = this.#waiting.filter((item) => item.type === type);
    this.#waiting = this.#waiting.filter((item) => item.type !== type);
    return this.#taken;
  }

  /** What was taken is done with. @param toldMs when it was told; undefined: there was nothing to tell, or nobody takes it */
  end(toldMs: number | undefined): void {
    this.#taken = [];
    if (toldMs === undefined) return;
    this.#letGo = 0;
    this.#told.push(toldMs);
    if (this.#told.length > perMinute) this.#told.shift();
  }
}
