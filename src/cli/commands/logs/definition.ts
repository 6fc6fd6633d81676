import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `logs`. */
export interface LogsOptions {
  follow?: boolean;
  since?: string;
  at?: string;
  tail?: number;
  grep?: string;
  timestamps?: boolean;
  raw?: boolean;
}

/** `logs`: what a program has written. */
export const logsDefinition: CommandDefinition = {
  name: 'logs',
  summary: "Show a program's output as it was",
  arguments: [{ name: 'session', kind: 'session', isOptional: true }],
  examples: ['logs run-7f3a', 'logs build -f --tail 50', "logs build --at 12m --grep 'error|warn'"],
  options: [
    { flags: '-f, --follow', summary: 'go on until the run ends' },
    { flags: '-n, --tail <count>', summary: 'only the last lines', kind: 'whole-number' },
    { flags: '--since <time>', summary: 'only what was written since: 10m, 2026-01-31T08:00', kind: 'text' },
    { flags: '--at <time>', summary: 'from that moment of the run on: 12m', kind: 'text' },
    { flags: '--grep <pattern>', summary: 'only lines that match (a regular expression)', kind: 'text' },
    { flags: '-t, --timestamps', summary: 'with the time of each line, and how far into the run' },
    { flags: '--raw', summary: 'on a terminal: play what a full-screen program has shown' },
  ],
  notes: ['', 'Without a session: the one that is live, or the last. Colours are kept on a terminal.'],
};
