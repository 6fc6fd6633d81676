import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from '../../../src/cli/command-definition.ts';
import { commands } from '../../../src/cli/commands.ts';
import { exitCodeMeanings, exitCodes } from '../../../src/cli/exit-codes.ts';
import { globalDefinitions } from '../../../src/cli/global-options.ts';
import { settingFields } from '../../../src/cli/settings/setting-fields.ts';
import { harmlessFields, type SettingField } from '../../../src/cli/settings/setting-names.ts';
import { flagOf, variableName } from '../../../src/cli/settings/given-settings.ts';

/** What the pages and the manual tell of the command line, taken from where the program has it. */

/** Every command as it is defined. */
export const definitions: readonly CommandDefinition[] = commands.map(({ definition }) => definition);

/** An option as pages show it. */
export interface ShownOption {
  flags: string;
  summary: string;
}

/** The options that the help shows. */
export function shownOptions(options: readonly OptionDefinition[]): ShownOption[] {
  return options
    .filter(({ isHidden }) => isHidden !== true)
    .map(({ flags, summary, default: value }) => ({
      flags,
      summary: value === undefined ? summary : `${summary} (${value})`,
    }));
}

/** `send <type>`, `run <command> [args...]`. */
export function usageOf({ name, arguments: args = [], options }: CommandDefinition): string {
  return [name, ...(shownOptions(options).length === 0 ? [] : ['[options]']), ...args.map(argumentText)].join(' ');
}

function argumentText({ name, isOptional, isRepeatable }: ArgumentDefinition): string {
  const inner = `${name}${isRepeatable === true ? '...' : ''}`;
  return isOptional === true ? `[${inner}]` : `<${inner}>`;
}

/** Further lines of a command's help, without the empty ones. A line of two columns has a colon between them. */
export function notesOf({ notes = [] }: CommandDefinition): { term?: string; text: string }[] {
  return notes
    .filter((line) => line !== '')
    .map((line) => {
      const columns = /^(\S.*?) {2,}(\S.*)$/.exec(line);
      return columns === null ? { text: line } : { term: columns[1] ?? '', text: columns[2] ?? '' };
    });
}

/** What all commands take. */
export const everywhere = shownOptions(globalDefinitions);

/** The exit codes with what they say. */
export const exits = (Object.keys(exitCodes) as (keyof typeof exitCodes)[]).map((name) => ({
  code: exitCodes[name],
  meaning: exitCodeMeanings[name],
}));

/** One setting, by the names that it has in each place. */
export interface ShownSetting {
  field: SettingField;
  flag: string | undefined;
  variable: string;
  /** Whether a project's file may set it before the user trusts the file. */
  isHarmless: boolean;
  meaning: string;
}

/** Where no flag says what a setting is, or each command has its own words for it. */
const ownMeanings: Partial<Record<SettingField, string>> = {
  client: 'the name that others see, as in `halted by NAME` (the name of the user)',
  session: 'the session (the only live one)',
};

/** Every setting of the program. */
export const settings: readonly ShownSetting[] = (Object.keys(settingFields) as SettingField[]).map((field) => {
  const long = `--${flagOf(field)}`;
  const all = [...globalDefinitions, ...definitions.flatMap(({ options }) => options)];
  const option = all.find(({ flags }) => flags.split(/[ ,]+/).includes(long));
  const meaning = ownMeanings[field] ?? option?.summary;
  if (meaning === undefined) throw new Error(`nothing says what the setting ${field} is`);
  return {
    field,
    flag: option === undefined ? undefined : option.isHidden === true ? long.replace('--', '--no-') : long,
    variable: variableName(field),
    isHarmless: harmlessFields.includes(field),
    meaning,
  };
});

/** Variables that are no settings. */
export const otherVariables = [
  { name: 'SHANNON_DASH_TOKEN', meaning: 'the token itself, for servers that ask for one' },
  { name: 'NO_COLOR', meaning: 'where it is set, no colours; `TERM=dumb` says the same' },
] as const;
