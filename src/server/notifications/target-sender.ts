import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { matchesGlob } from '../../core/event-filter.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { notificationLimits } from '../../core/protocol/limits.ts';
import { NotificationQueue } from '../../view/notifications/notification-queue.ts';
import { toldFilter } from '../../view/notifications/told-events.ts';
import type { ServerLog } from '../server-log.ts';
import type { Target } from './notification-settings.ts';
import type { Reference } from './reference.ts';
import type { Message } from './targets/message.ts';
import { tell } from './targets/tell.ts';

const { firstRetryMs, longestRetryMs, giveUpMs } = notificationLimits;

export interface SenderOptions {
  name: string;
  target: Target;
  /** What there is to tell of these events now; undefined: nothing any more. */
  compose: (references: readonly Reference[], letGo: number) => Promise<Message | undefined>;
  /** Called when what is untold has changed. */
  onChange: () => void;
  log: ServerLog;
}

/** Tells one target what it is to be told, in order, until the target has taken it. */
export class TargetSender {
  readonly #options: SenderOptions;
  readonly #queue = new NotificationQueue<Reference>();
  readonly #wantsType: (type: string) => boolean;
  readonly #end = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;

  /** @param untold what an earlier sender has left */
  constructor(options: SenderOptions, untold: readonly Reference[]) {
    this.#options = options;
    this.#wantsType = toldFilter(options.target.events);
    for (const each of untold) this.#queue.add(each, Date.now());
    this.#schedule();
  }

  get untold(): readonly Reference[] {
    return this.#queue.untold;
  }

  wantsType(type: string): boolean {
    return this.#wantsType(type);
  }

  wants({ type, session_id }: SessionEvent): boolean {
    return this.#wantsType(type) && this.#options.target.sessions.some((glob) => matchesGlob(glob, session_id));
  }

  isFor(target: Target): boolean {
    return isDeepStrictEqual(target, this.#options.target);
  }

  /** An event that waits already is not added again. */
  add(added: Reference): void {
    const { session_id, epoch, seq } = added;
    if (this.#queue.untold.some((each) => each.seq === seq && each.session_id === session_id && each.epoch === epoch)) return;
    this.#queue.add(added, Date.now());
    this.#options.onChange();
    this.#schedule();
  }

  /** Resolves once nothing is under way. What is untold stays so. */
  async close(): Promise<void> {
    this.#end.abort();
    clearTimeout(this.#timer);
    await this.#sending;
  }

  #schedule(): void {
    const dueInMs = this.#queue.dueInMs(Date.now());
    if (this.#end.signal.aborted || this.#sending !== undefined || this.#timer !== undefined || dueInMs === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined;
        this.#schedule();
      });
    }, dueInMs);
  }

  async #send(): Promise<void> {
    const { name, target, compose, onChange, log } = this.#options;
    const { signal } = this.#end;
    const references = this.#queue.take();
    for (let failures = 0; ; failures++) {
      // Composed anew for each try: what is over meanwhile is not told any more.
      const outcome = await compose(references, this.#queue.letGo).then(
        (message) => message && tell(target, message, signal),
        (error: unknown) => ({ kind: 'later' as const, reason: error instanceof Error ? error.message : String(error) }),
      );
      // What was under way at the end may have been taken. It is told again, with the same id.
      if (signal.aborted) return;
      const isTooOld = references.every(({ at }) => Date.now() - at > giveUpMs);
      if (outcome?.kind === 'later' && !isTooOld) {
        const afterMs = Math.max('afterMs' in outcome ? (outcome.afterMs ?? 0) : 0, retryMs(failures));
        if (failures === 0) log.warn({ target: name }, `A notification waits for its target, which is tried again: ${outcome.reason}`);
        await delay(afterMs, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) continue;
        return;
      }
      if (outcome?.kind === 'later' || outcome?.kind === 'refused')
        log.error({ target: name, events: references.length }, `A notification is let go: ${outcome.reason}`);
      else if (failures > 0) log.warn({ target: name }, 'The target takes notifications again');
      this.#queue.end(outcome?.kind === 'told' ? Date.now() : undefined);
      onChange();
      return;
    }
  }
}

/** Twice as long after each failure, a little more or less by chance, so that many senders do not come at once. */
function retryMs(failures: number): number {
  return Math.min(firstRetryMs * 2 ** failures, longestRetryMs) * (0.8 + Math.random() * 0.4);
}
