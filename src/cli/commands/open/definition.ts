import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `open`. */
export interface OpenOptions {
  at?: number;
  print?: boolean;
  share?: boolean;
  expires?: string;
}

/** `open`: the page of the sessions in a browser. */
export const openDefinition: CommandDefinition = {
  name: 'open',
  summary: 'Open the page of all sessions, or of one, in a browser',
  arguments: [{ name: 'session', kind: 'session', isOptional: true }],
  examples: ['open', 'open nightly --at 812', 'open nightly --share --expires 8h'],
  options: [
    { flags: '--at <number>', summary: 'as it was after this event (its seq in watch --json)', kind: 'whole-number' },
    { flags: '--print', summary: 'print the link only, and start no browser' },
    { flags: '--share', summary: 'print a link for somebody else, who watches this session and can do nothing else' },
    { flags: '--expires <time>', summary: 'how long that link holds: 8h, 7d (default 1d, at most 30d)', kind: 'duration' },
  ],
  notes: [
    '',
    'The link works once, within a minute, and logs the browser in: who opens it has',
    'your role and your sessions for twelve hours, or until your token ends.',
    'The link of --share works once too, in one browser. It is a viewer among the tokens:',
    'shannon-dash token list, and shannon-dash token revoke ends it. So does the end of',
    'the token by which it was made.',
  ],
};
