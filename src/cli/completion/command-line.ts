import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from '../command-definition.ts';
import { globalDefinitions } from '../global-options.ts';

/** What stands where the cursor is. */
type Position =
  | { kind: 'command' }
  | { kind: 'flag' }
  /** `before`: the part of the word in front of the value, as in `--url=http:`. */
  | { kind: 'value'; definition: OptionDefinition | ArgumentDefinition; before: string }
  /** A word of the command that another program is started with; its name is the word at `at`. */
  | { kind: 'program'; at: number }
  | { kind: 'nothing' };

/** A command line as far as it is typed. */
export interface CommandLine {
  command: CommandDefinition | undefined;
  /** The values of each option that stands before the cursor, by its long name; of a flag an empty text. */
  given: ReadonlyMap<string, readonly string[]>;
  args: readonly string[];
  /** The word that the cursor is in, up to the cursor. */
  word: string;
  position: Position;
}

const help: OptionDefinition = { flags: '-h, --help', summary: 'the help' };
const version: OptionDefinition = { flags: '-V, --version', summary: 'print the version' };

/** The options that can stand behind a command, or before any. */
export function optionsOf(command: CommandDefinition | undefined): readonly OptionDefinition[] {
  if (command === undefined) return [...globalDefinitions, version, help];
  const own = new Set(command.options.map(({ flags }) => longOf(flags)));
  return [...command.options, ...globalDefinitions.filter(({ flags }) => !own.has(longOf(flags))), help];
}

/** `--session` of `-s, --session <id>`. */
export function longOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

/** `-s` of `-s, --session <id>`; undefined where there is none. */
export function shortOf(flags: string): string | undefined {
  return /^-\w(?=,)/.exec(flags)?.[0];
}

/** The name by which an option is known; `--color` and `--no-color` are one. */
export function nameOf(flags: string): string {
  return longOf(flags).replace(/^--(?:no-)?/, '');
}

/**
 * Reads a command line as the program itself reads it, up to the word that the cursor is in.
 * @param words those behind the program's name; the last one is that of the cursor, and may be empty
 */
export function readCommandLine(words: readonly string[], commands: readonly CommandDefinition[]): CommandLine {
  const word = words.at(-1) ?? '';
  const given = new Map<string, string[]>();
  const args: string[] = [];
  let command: CommandDefinition | undefined;
  let isCommandUnknown = false;
  let areOptionsOver = false;
  /** The option whose value comes next. */
  let awaiting: OptionDefinition | undefined;
  const give = ({ flags }: OptionDefinition, value: string) => {
    const name = nameOf(flags);
    given.set(name, [...(given.get(name) ?? []), value]);
  };
  for (const [at, each] of words.slice(0, -1).entries()) {
    if (awaiting !== undefined) {
      give(awaiting, each);
      awaiting = undefined;
    } else if (!areOptionsOver && each === '--') {
      areOptionsOver = true;
    } else if (!areOptionsOver && each.startsWith('-') && each !== '-') {
      for (const { option, value } of optionsIn(each, optionsOf(command))) {
        if (value === undefined && takesValue(option)) awaiting = option;
        else give(option, value ?? '');
      }
    } else if (command === undefined) {
      command = commands.find(({ name }) => name === each);
      isCommandUnknown ||= command === undefined;
    } else {
      // From here on everything is the other program's.
      if (command.passThrough === true) return { command, given, args: [...args, each], word, position: { kind: 'program', at } };
      args.push(each);
    }
  }
  const position = isCommandUnknown
    ? ({ kind: 'nothing' } as const)
    : positionOf(word, { command, args, awaiting, areOptionsOver, at: Math.max(0, words.length - 1) });
  return { command, given, args, word, position };
}

interface Before {
  command: CommandDefinition | undefined;
  args: readonly string[];
  awaiting: OptionDefinition | undefined;
  areOptionsOver: boolean;
  at: number;
}

function positionOf(word: string, { command, args, awaiting, areOptionsOver, at }: Before): Position {
  if (awaiting !== undefined) return { kind: 'value', definition: awaiting, before: '' };
  if (!areOptionsOver && word.startsWith('-')) {
    const before = /^--[\w-]+=/.exec(word)?.[0];
    if (before === undefined) return { kind: 'flag' };
    const option = optionsOf(command).find(({ flags }) => longOf(flags) === before.slice(0, -1));
    return option === undefined || !takesValue(option) ? { kind: 'nothing' } : { kind: 'value', definition: option, before };
  }
  if (command === undefined) return { kind: 'command' };
  const { arguments: expected = [], passThrough } = command;
  if (passThrough === true) return { kind: 'program', at };
  const next = expected[args.length] ?? (expected.at(-1)?.isRepeatable === true ? expected.at(-1) : undefined);
  if (next !== undefined) return { kind: 'value', definition: next, before: '' };
  // Nothing else can come: the options are what is left to say.
  return word === '' && !areOptionsOver ? { kind: 'flag' } : { kind: 'nothing' };
}

/** The options that a word gives: `--json`, `--url=http://host`, `-qv`, `-sNAME`. Unknown ones are left out. */
function optionsIn(word: string, options: readonly OptionDefinition[]): { option: OptionDefinition; value?: string | undefined }[] {
  if (word.startsWith('--')) {
    const [, long, value] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const option = options.find(({ flags }) => longOf(flags) === long);
    return option === undefined ? [] : [{ option, value }];
  }
  const found: { option: OptionDefinition; value?: string | undefined }[] = [];
  for (let at = 1; at < word.length; at++) {
    const option = options.find(({ flags }) => shortOf(flags) === `-${word[at]}`);
    if (option === undefined) break;
    const value = takesValue(option) && at + 1 < word.length ? word.slice(at + 1) : undefined;
    found.push({ option, value });
    if (value !== undefined) break;
  }
  return found;
}

function takesValue({ flags }: OptionDefinition): boolean {
  return flags.includes('<');
}
