import { utf8Bytes } from '../core/json/json.ts';
import { cutText } from '../core/text/cut-text.ts';
import { safeLines } from '../core/text/safe-text.ts';

/** How much is kept: characters of each text, entries of each list and fields of each object, levels of both in one another. */
interface Measure {
  chars: number;
  entries: number;
  levels: number;
}

/** From all to hardly anything. */
const measures: readonly Measure[] = [
  { chars: Infinity, entries: Infinity, levels: 100 },
  { chars: 4_000, entries: 200, levels: 20 },
  { chars: 1_000, entries: 50, levels: 10 },
  { chars: 300, entries: 20, levels: 8 },
  { chars: 100, entries: 8, levels: 6 },
  { chars: 50, entries: 3, levels: 4 },
];

const nameChars = 100;
const lines = 100_000;

/** A value that was made to fit. */
export interface Shortened {
  value: unknown;
  /** Whether something is missing. What is, its place says. */
  isCut: boolean;
}

/**
 * JSON from outside that fits in so many bytes: with shorter texts, the last entries of lists and the first fields of objects, as far
 * as needed. Its texts hide nothing and reorder nothing (`safeLines`): a reader who is a model would read also what a person cannot see.
 */
export function shortened(value: unknown, maxBytes: number): Shortened {
  for (const measure of measures) {
    const short = new Shortening(measure);
    const kept = short.of(value, 0);
    if (utf8Bytes(JSON.stringify(kept) ?? '') <= maxBytes) return { value: kept, isCut: short.isCut };
  }
  return { value: '(too large to be shown)', isCut: true };
}

/** As many of the first entries as fit in so many bytes, and at least one. */
export function fitting<Entry>(entries: readonly Entry[], maxBytes: number): Entry[] {
  let bytes = 0;
  const end = entries.findIndex((entry, at) => (bytes += utf8Bytes(JSON.stringify(entry)) + 1) > maxBytes && at > 0);
  return entries.slice(0, end === -1 ? undefined : end);
}

class Shortening {
  readonly #measure: Measure;
  isCut = false;

  constructor(measure: Measure) {
    this.#measure = measure;
  }

  of(value: unknown, level: number): unknown {
    const { chars, entries, levels } = this.#measure;
    if (typeof value === 'string') return this.#text(value, chars);
    if (typeof value !== 'object' || value === null) return value;
    if (level >= levels) return this.#cut('(left out)');
    if (Array.isArray(value)) {
      const kept = value.slice(Math.max(0, value.length - entries)).map((each) => this.of(each, level + 1));
      return value.length <= entries ? kept : [this.#cut(`(${value.length - entries} earlier left out)`), ...kept];
    }
    const all = Object.entries(value).filter(([, each]) => each !== undefined);
    const kept = all.slice(0, entries).map(([name, each]) => [this.#text(name, nameChars), this.of(each, level + 1)]);
    if (all.length > entries) kept.push(['…', this.#cut(`(${all.length - entries} left out)`)]);
    return Object.fromEntries(kept);
  }

  #text(text: string, chars: number): string {
    const near = cutText(text, chars);
    if (near.length < text.length) this.isCut = true;
    const clean = safeLines(near, lines, Infinity).join('\n');
    return near.length < text.length ? `${clean}…` : clean;
  }

  #cut(note: string): string {
    this.isCut = true;
    return note;
  }
}
