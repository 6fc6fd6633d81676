import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { usageFailure } from './failure.ts';
import { renderHelp } from './terminal/help.ts';
import type { Interruption } from './terminal/interruption.ts';
import { Output } from './terminal/output.ts';
import type { Settings } from './settings/settings.ts';

/** What a command gets to work with. */
export interface Invocation<Options> {
  args: string[];
  options: Options;
  settings: Settings;
  output: Output;
  interruption: Interruption;
}

/** One command of the program. */
export interface CommandDefinition<Options> {
  /** Its name and arguments as commander writes them: `send <type>`. */
  usage: string;
  /** One line, in the list of commands and in its own help. */
  summary: string;
  /** Two or three, without the program's name. */
  examples: string[];
  /** Neighbours with the same description share a line of the help. */
  options: Option[];
  /** What else the help should say, a line each. */
  notes?: string[];
  /** Everything from the first argument on belongs to the command, flags too. */
  passThrough?: boolean;
  /** Whether to say what a project's file would set if it were trusted (default: yes). */
  asksForTrust?: (options: Options) => boolean;
  /** @returns the exit code; nothing: 0, or 130 and 143 after a signal */
  run: (invocation: Invocation<Options>) => Promise<number | void>;
}

interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color: boolean;
}

/** The version in package.json. */
export function version(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** An option of a command. */
export function option(flags: string, description: string, parse?: (value: string, previous: never) => unknown): Option {
  const made = new Option(flags, description);
  return parse === undefined ? made : made.argParser(parse as (value: string, previous: unknown) => unknown);
}

/** For options that may be given several times. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** For options that are a whole number. */
export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
}

/** The command line: its commands, and what is the same for all of them. */
export class Program {
  readonly #commander: Command;
  readonly #interruption: Interruption;
  #exitCode: number = exitCodes.ok;

  constructor(interruption: Interruption) {
    this.#interruption = interruption;
    this.#commander = new Command('shannon-dash')
      .description('Watch and steer AI agents and long programs, live, from any terminal')
      .enablePositionalOptions()
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .helpCommand(false)
      .version(version(), '-V, --version', 'print the version');
    for (const each of globalOptions()) this.#commander.addOption(each);
    const examples = ['run -- npm test', 'watch', 'send HALT --reason "lunch"'];
    this.#commander.configureHelp({ formatHelp: (command, helper) => renderHelp(command, helper, { examples }) });
  }

  /** Adds a command. */
  add<Options extends object>({
    usage,
    summary,
    examples,
    options,
    notes,
    passThrough,
    asksForTrust,
    run,
  }: CommandDefinition<Options>): void {
    const command = this.#commander.command(usage).description(summary);
    for (const each of [...options, ...globalOptions().filter((global) => !options.some(({ long }) => long === global.long))]) {
      command.addOption(each);
    }
    if (passThrough === true) command.passThroughOptions();
    command.configureHelp({ formatHelp: (command, helper) => renderHelp(command, helper, { examples, notes }) });
    command.action(async () => {
      const own = command.opts<Options & GlobalOptions>();
      const above = this.#commander.opts<GlobalOptions>();
      const all = { ...above, ...own, color: own.color && above.color };
      const output = await openOutput(all);
      const { readSettings } = await import('./settings/settings.ts');
      const settings = readSettings(all);
      if (asksForTrust?.(own) !== false) for (const sentence of settings.warnings) output.warn(sentence);
      const code = await run({ args: command.args, options: own, settings, output, interruption: this.#interruption });
      this.#exitCode = code ?? this.#interruption.exitCode ?? exitCodes.ok;
    });
  }

  /** Runs the command that the arguments name. @throws Failure, or whatever the command throws */
  async run(argv: readonly string[]): Promise<number> {
    if (argv.length <= 2) {
      this.#commander.outputHelp();
      return exitCodes.ok;
    }
    try {
      await this.#commander.parseAsync(argv);
      return this.#exitCode;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return exitCodes.ok;
      throw usageFailure(sentenceOf(error), `see: shannon-dash ${this.#named(argv)}--help`);
    }
  }

  /** The command that the arguments name, as far as one can tell. */
  #named(argv: readonly string[]): string {
    const name = argv.slice(2).find((each) => this.#commander.commands.some((command) => command.name() === each));
    return name === undefined ? '' : `${name} `;
  }
}

/** What the flags say of the output, before anything else is known. */
export function openOutput({ json, quiet, verbose, color }: Partial<GlobalOptions>): Promise<Output> {
  return Output.open({ isJson: json ?? false, isQuiet: quiet ?? false, isVerbose: verbose ?? false, color: color ?? true });
}

/** Every command takes these, before or after its name; the help of the program alone lists them. */
function globalOptions(): Option[] {
  return [
    option('--url <url>', 'the server (http://127.0.0.1:8000)').hideHelp(),
    option('--token-file <file>', 'a file that holds the token').hideHelp(),
    option('--timeout <time>', 'how long to wait: 500ms, 5s, 5m').hideHelp(),
    option('--json', 'JSON on stdout, errors as JSON on stderr').hideHelp(),
    option('--no-color', 'no colours').hideHelp(),
    option('-q, --quiet', 'results and errors only').hideHelp(),
    option('-v, --verbose', 'say more; stack traces of errors').hideHelp(),
  ];
}

/** Commander's messages begin with `error: ` and put suggestions on a line of their own. */
function sentenceOf({ message }: CommanderError): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\((Did you mean .*)\)$/, '. $1')
    .replaceAll("'", '"')
    .replace(/\.$/, '');
}
