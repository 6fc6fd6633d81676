import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `open`. */
export interface OpenOptions {
  print?: boolean;
}

/** `open`: the server in a browser. */
export const openDefinition: CommandDefinition = {
  name: 'open',
  summary: 'Log a browser in to the server, as yourself',
  arguments: [{ name: 'session', kind: 'session', isOptional: true }],
  examples: ['open', 'open nightly', 'open --print'],
  options: [{ flags: '--print', summary: 'print the link only, and start no browser' }],
  notes: [
    '',
    'The link works once, within a minute. Who opens it has your role and your',
    'sessions for twelve hours, or until your token ends.',
  ],
};
