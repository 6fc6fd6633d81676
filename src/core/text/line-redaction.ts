import { endOfKey, keyBegin, redactedText, replaced, type Redaction, type Span } from './redaction.ts';

/** Characters that are remembered of a line whose beginning was told before its end. */
const toldChars = 4_096;
/** Characters of what is not told that are remembered: a marker is no longer. */
const skippedChars = 80;
/** A private key without an end ends after so many lines, or so many that have nothing of a key in them. */
const [keyLines, strangeLines] = [2_000, 20];

/**
 * The lines of one output with the secrets in them replaced. A private key is over several lines; a line may come in pieces, and some
 * are never told at all.
 */
export class LineRedaction {
  readonly #redaction: Redaction;
  /** What was told already of the line that goes on. */
  #told = '';
  /** The end of what was not told, in which a marker may begin. */
  #skipped = '';
  /** How many lines of the private key there were, and how many in a row that look like none; undefined outside of one. */
  #key: { lines: number; strange: number } | undefined;

  constructor(redaction: Redaction) {
    this.#redaction = redaction;
  }

  /** A line, or what is left of one whose beginning was told. @param isCut whether its end is missing */
  line(text: string, isCut = false): string {
    const told = this.#told;
    this.#told = '';
    this.#skipped = '';
    const whole = told + text;
    const spans = this.#spans(whole);
    if (isCut) {
      const from = this.#redaction.openFrom(whole);
      if (from < whole.length) spans.push({ from, to: whole.length, by: redactedText });
    }
    return rest(whole, told.length, spans);
  }

  /** How much of a line that has not ended yet can be told now: up to what may be the beginning of a secret. */
  readyChars(text: string): number {
    if (this.#key !== undefined) return 0;
    return Math.max(0, this.#redaction.openFrom(this.#told + text) - this.#told.length);
  }

  /** The beginning of a line that goes on, as far as `readyChars` says. */
  beginning(text: string): string {
    const told = this.#told;
    const whole = told + text;
    this.#told = whole.slice(-toldChars);
    return rest(whole, told.length, this.#redaction.spans(whole));
  }

  /** What was told of the line is overwritten. */
  overwritten(): void {
    this.#told = '';
  }

  /** Text that nobody is told of: a private key may begin or end in it. */
  skip(text: string): void {
    const seen = this.#skipped + text;
    this.#skipped = seen.slice(-skippedChars);
    if (!seen.includes('PRIVATE KEY')) return;
    const begin = [...seen.matchAll(keyBegin)].at(-1);
    const from = begin === undefined ? 0 : begin.index + begin[0].length;
    if (begin !== undefined) this.#key = { lines: 0, strange: 0 };
    if (endOfKey(seen, from) !== undefined) this.#key = undefined;
  }

  #spans(whole: string): Span[] {
    let from = 0;
    const spans: Span[] = [];
    if (this.#key !== undefined) {
      const end = endOfKey(whole, 0);
      spans.push({ from: 0, to: end ?? whole.length, by: redactedText });
      if (end === undefined) {
        this.#key.lines++;
        this.#key.strange = /[A-Za-z0-9+/]{16}/.test(whole) ? 0 : this.#key.strange + 1;
        if (this.#key.lines >= keyLines || this.#key.strange >= strangeLines) this.#key = undefined;
        return spans;
      }
      this.#key = undefined;
      from = end;
    }
    const found = this.#redaction.spans(from === 0 ? whole : whole.slice(from));
    for (const span of found) spans.push({ ...span, from: span.from + from, to: span.to + from });
    if (whole.includes('-----BEGIN')) {
      const begin = [...whole.matchAll(keyBegin)].findLast(({ index }) => index >= from);
      const isOpen = begin !== undefined && this.#redaction.hasBuiltIn && endOfKey(whole, begin.index) === undefined;
      if (isOpen) this.#key = { lines: 0, strange: 0 };
    }
    return spans;
  }
}

/** The text from `at` on, with the parts of it replaced; of a part that begins before, the rest. */
function rest(text: string, at: number, spans: readonly Span[]): string {
  if (at === 0) return replaced(text, spans);
  const after = spans.filter(({ to }) => to > at).map((span) => ({ ...span, from: Math.max(0, span.from - at), to: span.to - at }));
  return replaced(text.slice(at), after);
}
