import type { Command, Help, Option } from 'commander';

const indent = '  ';
const widest = 36;
const screenLines = 24;

const everywhere = [
  'Every command: --url, --token-file, --timeout, --json, --no-color, -q, -v',
  'Variables: SHANNON_DASH_URL, SHANNON_DASH_TOKEN, SHANNON_DASH_SESSION, NO_COLOR',
];

/**
 * The help of one command, on one screen: examples first, then what it does, its options (those with the same
 * description on one line), and what holds for all commands.
 */
export function renderHelp(
  command: Command,
  helper: Help,
  { examples, notes = [] }: { examples: readonly string[]; notes?: readonly string[] | undefined },
): string {
  const rows = [
    ...helper.visibleCommands(command).map((each) => [each.name(), each.description()] as const),
    ...optionRows(helper.visibleOptions(command)),
  ];
  const width = Math.min(widest, Math.max(0, ...rows.map(([term]) => term.length)));
  const lines = [
    ...examples.map((example) => `${indent}shannon-dash ${example}`),
    '',
    `${command.description()}.`,
    '',
    `Usage: ${helper.commandUsage(command)}`,
    ...rows.map(([term, text]) => `${indent}${term.padEnd(width)}  ${text}`),
    ...notes,
  ];
  // An empty line more where the screen has room for it.
  if (lines.length + everywhere.length < screenLines) lines.push('');
  return `${[...lines, ...everywhere].join('\n')}\n`;
}

function optionRows(options: Option[]): (readonly [string, string])[] {
  const rows: [string, string][] = [];
  for (const { flags, description, long } of options) {
    if (long === '--help') continue;
    const last = rows.at(-1);
    const joined = `${last?.[0]}, ${flags}`;
    if (last !== undefined && last[1] === description && joined.length <= widest) last[0] = joined;
    else rows.push([flags, description]);
  }
  return rows;
}
