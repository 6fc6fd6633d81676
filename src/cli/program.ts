import { Argument, Command, CommanderError, Option, type Help } from 'commander';
import { version } from '../executable/own-program.ts';
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from './command-definition.ts';
import { exitCodes } from './exit-codes.ts';
import { usageFailure } from './failure.ts';
import { globalDefinitions } from './global-options.ts';
import type { RunCommand } from './invocation.ts';
import { valueReaders } from './option-values.ts';
import { withOtherNames } from './other-names.ts';
import { renderFormHelp, renderHelp } from './terminal/help.ts';
import type { Interruption } from './terminal/interruption.ts';
import { Output } from './terminal/output.ts';

interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color: boolean;
}

/** The command line: its commands, and the options that all of them share. */
export class Program {
  readonly #commander: Command;
  readonly #interruption: Interruption;
  #exitCode: number = exitCodes.ok;
  /** What was typed, by the names that the program has. */
  #words: readonly string[] = [];

  constructor(interruption: Interruption) {
    this.#interruption = interruption;
    this.#commander = new Command('shannon-dash')
      .description('Watch and steer AI agents and long programs, live, from any terminal')
      .enablePositionalOptions()
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .helpCommand(false)
      .version(version, '-V, --version', 'print the version');
    for (const each of globalOptions()) this.#commander.addOption(each);
    const examples = ['run -- npm test', 'watch', 'send HALT --reason "lunch"'];
    this.#commander.configureHelp({ formatHelp: (command, helper) => renderHelp(command, helper, { examples }) });
  }

  /** Adds a command. @param load loads its code when it is called */
  add(definition: CommandDefinition, load: () => Promise<RunCommand<never>>): void {
    const { name, summary, arguments: args = [], passThrough, warnsOfTrust } = definition;
    const options = definition.options.map(optionOf);
    const command = this.#commander.command(name).description(summary);
    for (const each of args) command.addArgument(argumentOf(each));
    for (const each of [...options, ...globalOptions().filter((global) => !options.some(({ long }) => long === global.long))]) {
      command.addOption(each);
    }
    if (passThrough === true) command.passThroughOptions();
    command.configureHelp({ formatHelp: (command, helper) => this.#helpOf(definition, command, helper) });
    command.action(async () => {
      const own = command.opts<GlobalOptions & Record<string, unknown>>();
      const above = this.#commander.opts<GlobalOptions>();
      const all = { ...above, ...own, color: own.color && above.color };
      const output = await openOutput(all);
      const { readSettings } = await import('./settings/settings.ts');
      const settings = readSettings(withoutOwn(all, definition.options));
      const warns = typeof warnsOfTrust === 'object' ? own[warnsOfTrust.unless] !== true : warnsOfTrust !== 'never';
      if (warns) for (const sentence of settings.warnings) output.warn(sentence);
      const run = await load();
      const code = await run({ args: command.args, options: own as never, settings, output, interruption: this.#interruption });
      this.#exitCode = code ?? this.#interruption.exitCode ?? exitCodes.ok;
    });
  }

  /** Runs the command that the arguments name. @throws Failure, or whatever the command throws */
  async run(args: readonly string[]): Promise<number> {
    if (args.length === 0) {
      this.#commander.outputHelp();
      return exitCodes.ok;
    }
    try {
      this.#words = withOtherNames(args);
      await this.#commander.parseAsync(this.#words, { from: 'user' });
      return this.#exitCode;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      // With flags and no command commander shows the help.
      if (error.exitCode === 0 || error.code === 'commander.help') return exitCodes.ok;
      throw usageFailure(sentenceOf(error), `see: shannon-dash ${this.#named(args)}--help`);
    }
  }

  /** Of `stop` or `send STOP` only what belongs to it. */
  #helpOf({ name, forms = [], options, examples, notes }: CommandDefinition, command: Command, helper: Help): string {
    const first = this.#words.slice(this.#words.indexOf(name) + 1).find((word) => !word.startsWith('-'));
    const form = forms.find(({ value }) => value === first?.toUpperCase());
    return form === undefined ? renderHelp(command, helper, { examples, notes }) : renderFormHelp(form, options);
  }

  /** The command that the arguments name, as far as one can tell. */
  #named(args: readonly string[]): string {
    const name = args.find((each) => this.#commander.commands.some((command) => command.name() === each));
    return name === undefined ? '' : `${name} `;
  }
}

/** The values of options as the settings take them: without those that only have the name of a setting. */
function withoutOwn(values: object, definitions: readonly OptionDefinition[]): object {
  const own = definitions.filter(({ isNoSetting }) => isNoSetting === true).map((each) => optionOf(each).attributeName());
  return Object.fromEntries(Object.entries(values).filter(([name]) => !own.includes(name)));
}

/** Opens the output as the flags say, before the settings are known. */
export function openOutput({ json, quiet, verbose, color }: Partial<GlobalOptions>): Promise<Output> {
  return Output.open({ isJson: json ?? false, isQuiet: quiet ?? false, isVerbose: verbose ?? false, color: color ?? true });
}

function globalOptions(): Option[] {
  return globalDefinitions.map((definition) => optionOf({ ...definition, isHidden: true }));
}

/** `<type>`, `[args...]`. */
function argumentOf({ name, choices, isOptional, isRepeatable }: ArgumentDefinition): Argument {
  const inner = `${name}${isRepeatable === true ? '...' : ''}`;
  const argument = new Argument(isOptional === true ? `[${inner}]` : `<${inner}>`);
  return choices === undefined ? argument : argument.choices(choices);
}

function optionOf(definition: OptionDefinition): Option {
  const { flags, summary, kind, choices, isRepeatable, isHidden, isRare, default: value, conflicts, valueName } = definition;
  const option = new Option(flags, summary);
  const reader = kind === undefined ? undefined : valueReaders[kind];
  if (reader !== undefined) option.argParser(reader);
  if (isRepeatable === true) option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  if (choices !== undefined) option.choices(choices);
  if (value !== undefined) option.default(value);
  if (conflicts !== undefined) option.conflicts([...conflicts]);
  if (valueName !== undefined) option.attributeName = () => valueName;
  return option.hideHelp(isHidden === true || isRare === true);
}

/** Commander's messages begin with `error: ` and put suggestions on a line of their own. */
function sentenceOf({ message }: CommanderError): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\((Did you mean .*)\)$/, '. $1')
    .replace(
      /^command-argument value '(.*)' is invalid for argument '(.*)'\. Allowed choices are (.*)\.$/s,
      '<$2> cannot be "$1"; it is one of: $3',
    )
    .replaceAll("'", '"')
    .replace(/\.$/, '');
}
