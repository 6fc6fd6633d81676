import { tokenPattern } from './token-pattern.ts';

/** A part of a text, and what stands in its place. */
export interface Span {
  from: number;
  to: number;
  by: string;
}

/** Finds what one more pattern matches in a text. */
export type Finder = (text: string) => readonly Omit<Span, 'by'>[];

/** Characters of a word that goes on in which a secret may begin. */
const longestWord = 4_096;

/** What stands in the place of a secret. */
export const redactedText = '[redacted]';

/** The markers of a private key: RFC 7468, and the forms of OpenSSH, OpenSSL and OpenPGP. */
export const keyBegin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const keyEnd = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

/** A header as it stands in a request, in the word of a command line, or as a field of JSON. Its value ends with the quotation mark that it began with. */
const authorization = /(["']?)authorization["']?[ \t]*[:=][ \t]*(["']?)(?=[^\s"'])/gi;
/** The link that answers a decision: whoever holds it may answer. Its last part is a keyed hash, SHA-256 in base64url. */
const answerLink = /\/answer\/([\w-]{43})(?![\w-])/g;
const urlPassword = /:\/\/[^\s:@/?#]*:([^\s/?#]+)@/g;

/** Texts with the secrets in them replaced. What it is given is what is kept and told to others; it does nothing to what a user sees. */
export class Redaction {
  /** Whether it knows tokens, passwords and private keys by itself. */
  readonly hasBuiltIn: boolean;
  readonly #finders: readonly Finder[];

  /** @param finders of further patterns */
  constructor({ hasBuiltIn, finders }: { hasBuiltIn: boolean; finders: readonly Finder[] }) {
    this.hasBuiltIn = hasBuiltIn;
    this.#finders = finders;
  }

  /** Whether it can find anything. */
  get isOn(): boolean {
    return this.hasBuiltIn || this.#finders.length > 0;
  }

  /** A whole text, of any number of lines. */
  text(text: string): string {
    return replaced(text, this.spans(text));
  }

  /** The words of a command line. A secret may need two of them to be known as one: `-H Authorization: Bearer ...`. */
  words(words: readonly string[]): string[] {
    const together = this.spans(words.join(' '));
    let at = 0;
    return words.map((word) => {
      const [from, to] = [at, at + word.length];
      at = to + 1;
      const within = together
        .filter((span) => span.from < to && span.to > from)
        .map((span) => ({ ...span, from: Math.max(0, span.from - from), to: Math.min(word.length, span.to - from) }));
      return replaced(word, [...within, ...this.spans(word)]);
    });
  }

  /** The secrets in a text. A private key that does not end in it reaches to the end of the text. */
  spans(text: string): Span[] {
    const found = this.hasBuiltIn ? builtInSpans(text) : [];
    for (const find of this.#finders) for (const { from, to } of find(text)) found.push({ from, to, by: redactedText });
    return found;
  }

  /**
   * From where on a text that goes on may hold the beginning of a secret. That of a further pattern may be in any word, so the last word
   * waits for its end.
   */
  openFrom(text: string): number {
    const word = text.length - (/\S*$/.exec(text.slice(-longestWord))?.[0].length ?? 0);
    if (this.#finders.length > 0) return Math.min(word, this.hasBuiltIn ? openBuiltIn(text, word) : word);
    return this.hasBuiltIn ? openBuiltIn(text, word) : text.length;
  }
}

/** A text with parts of it replaced, be they one in another. */
export function replaced(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  let result = '';
  let at = 0;
  for (const { from, to, by } of spans.toSorted((one, other) => one.from - other.from || other.to - one.to)) {
    if (to <= at) continue;
    // The rest of one that overlaps is part of the secret before it.
    result += from >= at ? text.slice(at, from) + by : '';
    at = to;
  }
  return result + text.slice(at);
}

/** @param word where the last word begins */
function openBuiltIn(text: string, word: number): number {
  const last = text.slice(word);
  const starts = ['sd_', '://', '/answer/']
    .map((beginning) => last.indexOf(beginning))
    .filter((at) => at !== -1)
    .map((at) => word + at);
  return Math.min(text.length, ...starts, ...[text.indexOf('-----BEGIN'), text.search(hasAuthorization)].filter((at) => at !== -1));
}

function builtInSpans(text: string): Span[] {
  const spans: Span[] = [];
  // Most lines have none of these, and to look for a text is cheaper than to match a pattern.
  if (text.includes('sd_')) {
    for (const { 0: token, index } of text.matchAll(tokenPattern)) spans.push({ from: index, to: index + token.length, by: redactedText });
  }
  if (text.includes('/answer/')) {
    for (const { 0: all, 1: hash = '', index } of text.matchAll(answerLink)) {
      const to = index + all.length;
      spans.push({ from: to - hash.length, to, by: redactedText });
    }
  }
  if (text.includes('://')) {
    for (const { 0: all, 1: password = '', index } of text.matchAll(urlPassword)) {
      const to = index + all.length - 1;
      spans.push({ from: to - password.length, to, by: '***' });
    }
  }
  if (text.includes('-----BEGIN')) {
    let at = 0;
    for (const { 0: marker, index } of text.matchAll(keyBegin)) {
      if (index < at) continue;
      at = endOfKey(text, index + marker.length) ?? text.length;
      spans.push({ from: index, to: at, by: redactedText });
    }
  }
  if (hasAuthorization.test(text)) {
    let at = 0;
    for (const { 0: name, 1: before = '', 2: after = '', index } of text.matchAll(authorization)) {
      if (index < at) continue;
      const from = index + name.length;
      const quote = after === '' ? before : after;
      const length = text.slice(from).search(quote === '' ? /[\r\n]/ : quote === '"' ? /["\r\n]/ : /['\r\n]/);
      at = length === -1 ? text.length : from + length;
      spans.push({ from, to: at, by: redactedText });
    }
  }
  return spans;
}

const hasAuthorization = /authorization/i;

/** Where the private key that a text is in the middle of ends; undefined where it goes on. */
export function endOfKey(text: string, from: number): number | undefined {
  keyEnd.lastIndex = from;
  const found = keyEnd.exec(text);
  return found === null ? undefined : found.index + found[0].length;
}
