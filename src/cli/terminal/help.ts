import type { Command, Help } from 'commander';
import type { CommandForm, OptionDefinition } from '../command-definition.ts';

const indent = '  ';
const widest = 36;
const screenLines = 24;

const everywhere = [
  'Every command: --url, --token-file, --timeout, --json, --no-color, -q, -v',
  'Variables: SHANNON_DASH_URL, SHANNON_DASH_TOKEN, SHANNON_DASH_SESSION, NO_COLOR',
];

interface HelpText {
  examples: readonly string[];
  /** A sentence without its full stop. */
  summary: string;
  usage: string;
  /** Terms, and what they mean. */
  rows: readonly (readonly [string, string])[];
  notes: readonly string[];
}

/**
 * The help of one command, on one screen: examples first, then what it does, its options (those with the same
 * description on one line), and what holds for all commands.
 */
export function renderHelp(
  command: Command,
  helper: Help,
  { examples, notes = [] }: { examples: readonly string[]; notes?: readonly string[] | undefined },
): string {
  const commands = helper.visibleCommands(command).map((each) => [each.name(), each.description()] as const);
  const options = helper.visibleOptions(command).filter(({ long }) => long !== '--help');
  const rows = [...commands, ...optionRows(options.map(({ flags, description }) => [flags, description]))];
  return helpText({ examples, summary: command.description(), usage: helper.commandUsage(command), rows, notes });
}

/** The help of a command whose first argument is known: the options that go with it. */
export function renderFormHelp({ value, verb, summary, examples }: CommandForm, options: readonly OptionDefinition[]): string {
  const own = options.filter(({ isHidden, onlyWith }) => isHidden !== true && (onlyWith === undefined || onlyWith.includes(value)));
  // Among the options of all forms a summary names those that it is for.
  const rows = optionRows(
    own.map((each) => [each.flags, each.onlyWith === undefined ? each.summary : each.summary.replace(/^[A-Z, ]+: /, '')]),
  );
  return helpText({ examples, summary, usage: `shannon-dash ${verb} [options] [session]`, rows, notes: [] });
}

function helpText({ examples, summary, usage, rows, notes }: HelpText): string {
  const width = Math.min(widest, Math.max(0, ...rows.map(([term]) => term.length)));
  const lines = [
    ...examples.map((example) => `${indent}shannon-dash ${example}`),
    '',
    `${summary}.`,
    '',
    `Usage: ${usage}`,
    ...rows.map(([term, text]) => `${indent}${term.padEnd(width)}  ${text}`),
    ...notes,
  ];
  // An empty line more where the screen has room for it.
  if (lines.length + everywhere.length < screenLines) lines.push('');
  return `${[...lines, ...everywhere].join('\n')}\n`;
}

/** Neighbours with the same description share a line. */
function optionRows(options: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const rows: [string, string][] = [];
  for (const [flags, description] of options) {
    const last = rows.at(-1);
    const joined = `${last?.[0]}, ${flags}`;
    if (last !== undefined && last[1] === description && joined.length <= widest) last[0] = joined;
    else rows.push([flags, description]);
  }
  return rows;
}
