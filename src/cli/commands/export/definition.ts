import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `export`. */
export interface ExportOptions {
  all?: boolean;
}

/** `export`: the whole history of a session as a recording. */
export const exportDefinition: CommandDefinition = {
  name: 'export',
  summary: 'Write a session, or all of them, as a recording',
  arguments: [{ name: 'session', kind: 'session', isOptional: true }],
  examples: ['export run-7f3a > run.ndjson', 'export --all > everything.ndjson', 'watch ./run.ndjson'],
  options: [{ flags: '--all', summary: 'every session, one after the other' }],
  notes: ['', 'A recording is a header line and a line of JSON for each event. Without a session: the one that is live, or the last.'],
};
