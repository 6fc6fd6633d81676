import { commands } from '../commands.ts';
import { replaceDeletedFolder } from '../working-folder.ts';
import { quotedForBash, readBashLine } from './bash-line.ts';
import { candidatesFor, type Candidates } from './candidates.ts';
import { readCommandLine } from './command-line.ts';

const definitions = commands.map(({ definition }) => definition);

/**
 * Tells a shell what can stand where its cursor is; one line for each, its description behind a tab. A line that begins with a tab says
 * what the shell itself completes there: `files`, `folders`, or `program N`, the command that begins at the word N (0 is this program).
 *
 *     complete -- WORDS...                   the words behind the program's name; the last one is that of the cursor
 *     complete --encoded BASE64              the same words, with NUL between them, for shells that change arguments on their way
 *     complete --bash TYPE BREAKS -- LINE    the line as bash has it, up to the cursor: `COMP_TYPE`, `COMP_WORDBREAKS`
 *
 * It never writes to stderr and never fails: there is nobody to tell.
 */
export async function complete(args: readonly string[]): Promise<void> {
  // Warnings of Node, as of a module that is experimental in one of its versions, would be written into the command line.
  process.removeAllListeners('warning');
  process.stdout.on('error', () => undefined);
  process.on('uncaughtException', () => process.exit(0)).on('unhandledRejection', () => process.exit(0));
  replaceDeletedFolder();
  process.stdout.write(await answerTo(args));
}

/** What it prints. */
export async function answerTo(args: readonly string[]): Promise<string> {
  try {
    return (await linesFor(args)).map((line) => `${line}\n`).join('');
  } catch {
    // No server, no journal, a setting that is wrong: the command itself will say it.
    return '';
  }
}

async function linesFor([form, ...rest]: readonly string[]): Promise<string[]> {
  switch (form) {
    case '--bash':
      return answerToBash(rest[0] ?? '', rest[1] ?? '', rest[3] ?? '');
    case '--encoded':
      return linesOf(
        await candidatesAt(
          Buffer.from(rest[0] ?? '', 'base64')
            .toString()
            .split('\0'),
        ),
      );
    case '--':
      return linesOf(await candidatesAt(rest));
    case undefined:
    default:
      return [];
  }
}

function candidatesAt(words: readonly string[]): Promise<Candidates> {
  return candidatesFor(readCommandLine(words, definitions), definitions);
}

function linesOf({ values, rest }: Candidates): string[] {
  const lines = values.map(({ value, description }) =>
    description === undefined || description === '' ? value : `${value}\t${description}`,
  );
  return rest === undefined ? lines : [...lines, restLine(rest, (word) => word + 1)];
}

/** The lists that bash shows; in all other cases it inserts what it gets, and a description has no place there. */
const listingTypes = ['?', '!', '@'].map((sign) => String(sign.charCodeAt(0)));

async function answerToBash(type: string, breaks: string, line: string): Promise<string[]> {
  const { words, starts, kept, quote, isRedirection } = readBashLine(line, breaks);
  if (isRedirection) return ['\tfiles'];
  if (quote === "$'") return [];
  const { values: all, rest } = await candidatesAt(words.slice(1));
  // What bash keeps of the word cannot be written anew, not even in another case.
  const values = all.filter(({ value }) => value.startsWith(kept));
  const isList = values.length > 1 && listingTypes.includes(type);
  const lines = values.map(({ value, description }) => {
    const text = quotedForBash(value.slice(kept.length), quote);
    return isList && description !== undefined && description !== '' ? `${text}  (${description})` : text;
  });
  return rest === undefined ? lines : [...lines, restLine(rest, (word) => starts[word + 1] ?? 0)];
}

function restLine(rest: NonNullable<Candidates['rest']>, place: (word: number) => number): string {
  return `\t${typeof rest === 'string' ? rest : `program ${place(rest.program)}`}`;
}
