import type { Watcher } from '../../../client/watcher/watcher-contract.ts';
import { NotificationDesk } from '../../../view/notifications/notification-desk.ts';
import type { Notification, Notifying } from '../../../view/notifications/notification.ts';
import type { Output } from '../../terminal/output.ts';

/** Notifies, beside the lines of `watch`, of what is new: by the bell of the terminal, by the desktop. */
export class PlainNotifications {
  readonly #notifying: Notifying;
  readonly #output: Output;
  readonly #desk: NotificationDesk;
  /** Under way at the desktop. */
  readonly #telling = new Set<Promise<void>>();
  #watcher: Watcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What the desktop said last of why it shows nothing. */
  #problem: string | undefined;

  constructor(notifying: Notifying, output: Output) {
    this.#notifying = notifying;
    this.#output = output;
    this.#desk = new NotificationDesk(notifying.globs);
  }

  get isWanted(): boolean {
    return this.#notifying.withBell || this.#notifying.tellDesktop !== undefined;
  }

  /** @param historySeq events up to this one have happened before */
  follow(watcher: Watcher, historySeq: number): void {
    if (!this.isWanted) return;
    this.#watcher = watcher;
    watcher.onUpdate((update) => {
      if (update.kind !== 'events') return;
      const isOfOne = watcher.session !== null;
      this.#desk.take(
        update.events.filter(({ seq }) => !isOfOne || seq > historySeq),
        Date.now(),
      );
      this.#schedule();
    });
  }

  /** Tells what waits, and resolves once it is told. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    for (const each of this.#desk.last(Date.now(), (id) => this.#watcher?.states.get(id))) this.#tell(each);
    await Promise.all(this.#telling);
  }

  #schedule(): void {
    const dueInMs = this.#desk.dueInMs(Date.now());
    if (dueInMs === undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const notification = this.#desk.due(Date.now(), (id) => this.#watcher?.states.get(id));
      if (notification !== undefined) this.#tell(notification);
      this.#schedule();
    }, dueInMs);
  }

  #tell(notification: Notification): void {
    const { withBell, tellDesktop } = this.#notifying;
    if (withBell && process.stderr.isTTY) process.stderr.write('\x07');
    const telling = tellDesktop?.(notification).then((problem) => {
      if (problem !== undefined && problem !== this.#problem) this.#output.warn(problem);
      this.#problem = problem;
    });
    if (telling === undefined) return;
    this.#telling.add(telling);
    void telling.finally(() => this.#telling.delete(telling));
  }
}
