import { ShannonDashError } from '../core/protocol/errors.ts';
import { limits } from '../core/protocol/limits.ts';

/** Runs the work of one key one piece after the other, so that what a piece has checked still holds when it writes. Each queue is bounded. */
export class KeyedMutex {
  readonly #tails = new Map<string, { last: Promise<unknown>; waiting: number }>();

  /** @throws ShannonDashError LIMIT_REACHED the queue of this key is full */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    let tail = this.#tails.get(key);
    if (tail === undefined) this.#tails.set(key, (tail = { last: Promise.resolve(), waiting: 0 }));
    if (tail.waiting >= limits.serialWork) {
      const sentence = `${tail.waiting} requests for ${key} wait already; send less at a time`;
      return Promise.reject(new ShannonDashError('LIMIT_REACHED', sentence, undefined, { limit: 'requests' }));
    }
    const { last } = tail;
    const result = last.then(work, work);
    const end = () => {
      if (--tail.waiting === 0) this.#tails.delete(key);
    };
    tail.waiting++;
    tail.last = result.then(end, end);
    return result;
  }
}
