import { foldLimits } from '../protocol/limits.ts';
import type { Lengths } from './rollup.ts';

/** The buckets grow so that the middle of one is at most 1 % from any length in it (DDSketch, Masson et al. 2019). */
const growth = 1.01 / 0.99;
const perBucket = Math.log(growth);

/** The lengths with one more. Those of two sessions can be added. */
export function withLength(lengths: Lengths, ms: number): Lengths {
  const bucket = bucketOf(ms);
  const at = lengths.findIndex(([each]) => each === bucket);
  const [, count = 0] = lengths[at] ?? [];
  return at === -1 ? inFewBuckets([...lengths, [bucket, 1]], foldLimits.rollupLengths) : lengths.with(at, [bucket, count + 1]);
}

/** The same lengths in no more than so many buckets: where there are more, the neighbours with the fewest lengths become one. */
export function inFewBuckets(lengths: Lengths, most: number): Lengths {
  if (lengths.length <= most) return lengths;
  const sorted = lengths.toSorted(([a = 0], [b = 0]) => a - b);
  while (sorted.length > most) {
    const countAt = (at: number) => (sorted[at]?.[1] ?? 0) + (sorted[at + 1]?.[1] ?? 0);
    let at = 0;
    for (let each = 1; each < sorted.length - 1; each++) if (countAt(each) < countAt(at)) at = each;
    const [[low = 0, fewer = 0] = [], [high = 0, more = 0] = []] = sorted.slice(at, at + 2);
    sorted.splice(at, 2, [fewer > more ? low : high, fewer + more]);
  }
  return sorted;
}

/** How many lengths are in each bucket, summed up over many sessions. */
export class LengthSums {
  readonly #counts = new Map<number, number>();

  add(lengths: Lengths): void {
    for (const [bucket = 0, count = 0] of lengths) this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
  }

  /** The length that this share of all is not longer than, in milliseconds, within 1 %; null where there are none. */
  quantile(share: number): number | null {
    const sorted = [...this.#counts].toSorted(([a], [b]) => a - b);
    let left = Math.floor((sorted.reduce((sum, [, count]) => sum + count, 0) - 1) * share);
    for (const [bucket, count] of sorted) {
      if (left < count) return lengthIn(bucket);
      left -= count;
    }
    return null;
  }
}

function bucketOf(ms: number): number {
  return ms < 1 ? 0 : Math.ceil(Math.log(ms) / perBucket) + 1;
}

function lengthIn(bucket: number): number {
  return bucket === 0 ? 0 : Math.round((2 * growth ** (bucket - 1)) / (growth + 1));
}
