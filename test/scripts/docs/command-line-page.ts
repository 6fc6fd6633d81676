import { definitions, everywhere, exits, notesOf, otherVariables, settings, shownOptions, usageOf } from './command-line.ts';
import { code, page, table } from './markdown.ts';

/** The page of the command line. */
export function commandLinePage(): string {
  return page(
    '# The command line',
    `Every command takes the options of [all commands](#options-of-all-commands), before or after its name. \`shannon-dash COMMAND --help\` shows a part of this page.`,
    ...definitions.map((definition) =>
      [
        `## \`${definition.name}\``,
        `${definition.summary}.`,
        code(`shannon-dash ${usageOf(definition)}`),
        ...optionTable(shownOptions(definition.options)),
        ...notes(notesOf(definition)),
        `Examples: ${definition.examples.map((example) => code(`shannon-dash ${example}`)).join(' · ')}`,
      ].join('\n\n'),
    ),
    '## Options of all commands',
    ...optionTable(everywhere),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      exits.map(({ code, meaning }) => [String(code), meaning]),
    ),
    '`run` ends as its program does: with its exit code, or by its signal.',
    '## Settings',
    "How settings are found, and what a project's file may set: [the server](../server.md#settings). The harmless ones count also where you do not trust that file.",
    table(
      ['in a file', 'flag', 'variable', 'harmless', 'what it is, and its default'],
      settings.map(({ field, flag, variable, isHarmless, meaning }) => [
        code(field),
        flag === undefined ? '' : code(flag),
        code(variable),
        isHarmless ? 'yes' : '',
        meaning,
      ]),
    ),
    'Several values stand in a list in a file, and with commas between them in a variable (`SHANNON_DASH_SKILLS`: with colons).',
    'Variables that are no settings:',
    table(
      ['variable', 'what it is'],
      otherVariables.map(({ name, meaning }) => [code(name), meaning]),
    ),
  );
}

function optionTable(options: readonly { flags: string; summary: string }[]): string[] {
  if (options.length === 0) return [];
  return [
    table(
      ['option', 'what it does'],
      options.map(({ flags, summary }) => [code(flags), summary]),
    ),
  ];
}

/** Lines of one column are sentences and make a paragraph, those of two a list. */
function notes(lines: ReturnType<typeof notesOf>): string[] {
  const parts: string[] = [];
  let before: string | undefined = 'nothing';
  for (const { term, text } of lines) {
    if (term !== undefined)
      parts.push(
        before === undefined || parts.length === 0 ? `- ${code(term)}: ${text}` : `${parts.pop() ?? ''}\n- ${code(term)}: ${text}`,
      );
    else parts.push(before === undefined ? `${parts.pop() ?? ''} ${text}` : text);
    before = term;
  }
  return parts;
}
