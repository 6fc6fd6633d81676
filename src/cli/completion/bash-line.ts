/** A command line as bash hands it to a completion: as it was typed, up to the cursor. */
export interface BashLine {
  /** Without quotes and backslashes, the program's name first; the last one is that of the cursor. Nothing is expanded. */
  words: string[];
  /** Where each word begins in the line. */
  starts: number[];
  /** What of the last word the shell keeps; what is inserted takes the place of the rest. */
  kept: string;
  /** The quote that is open at the cursor. */
  quote: BashQuote;
  /** The last word says where output goes or input comes from. */
  isRedirection: boolean;
}

/** A quote of bash; `$'` is that of ANSI C. */
export type BashQuote = '' | '"' | "'" | "$'";

/** @param breaks the characters at which bash divides words for its completions (`COMP_WORDBREAKS`) */
export function readBashLine(line: string, breaks: string): BashLine {
  const words: string[] = [];
  const starts: number[] = [];
  let word: string | undefined;
  let start = 0;
  let kept = '';
  let keptBefore = '';
  let quote: BashQuote = '';
  let isRedirection = false;
  const begin = (at: number) => {
    if (word !== undefined) return;
    [word, start, kept] = ['', at, ''];
  };
  const end = () => {
    if (word !== undefined && !isRedirection) {
      words.push(word);
      starts.push(start);
    }
    if (word !== undefined) isRedirection = false;
    word = undefined;
  };
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote !== '') {
      if (character === (quote === '"' ? '"' : "'")) [quote, kept] = ['', keptBefore];
      else if (character === '\\' && isEscape(quote, line.charAt(at + 1))) word += line.charAt(++at);
      else word += character;
    } else if (/\s/.test(character)) {
      end();
    } else if (character === '<' || character === '>') {
      // `2>` is no word of the command.
      if (word !== undefined && /^\d+$/.test(word)) word = undefined;
      end();
      isRedirection = true;
    } else {
      begin(at);
      if (character === '"' || character === "'") {
        [keptBefore, kept] = [kept, word ?? ''];
        quote = character;
      } else if (character === '$' && line.charAt(at + 1) === "'") {
        keptBefore = kept;
        quote = "$'";
        at++;
      } else if (character === '\\') {
        word += line.charAt(++at);
      } else {
        word += character;
        if (breaks.includes(character)) kept = word ?? '';
      }
    }
  }
  begin(line.length);
  return { words: [...words, word ?? ''], starts: [...starts, start], kept, quote, isRedirection };
}

function isEscape(quote: BashQuote, next: string): boolean {
  return quote === '"' ? /^["$`\\\n]$/.test(next) : quote === "$'";
}

/** A text as it must be typed in bash to be that text and nothing else, within the quote that is open. */
export function quotedForBash(text: string, quote: Exclude<BashQuote, "$'">): string {
  if (quote === '') return text.replaceAll(/[^\p{L}\p{N}\p{M}\p{S}_./:=@%+,-]|[$`^<>|~]/gu, String.raw`\$&`);
  const quoted =
    quote === "'"
      ? text.replaceAll("'", String.raw`'\''`)
      : // Within these quotes `!` calls the history, and a backslash before it would stay: it stands outside.
        text.replaceAll(/["$`\\]/g, String.raw`\$&`).replaceAll('!', String.raw`"\!"`);
  // Readline closes the quote, unless it sees one there already.
  return quoted.endsWith(quote) ? quoted + quote : quoted;
}
