import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `import`. */
export interface ImportOptions {
  as?: string;
  skipExisting?: boolean;
}

/** `import`: recorded sessions, brought to the journal. */
export const importDefinition: CommandDefinition = {
  name: 'import',
  summary: 'Bring recorded sessions to the journal',
  arguments: [{ name: 'file', kind: 'file' }],
  examples: ['import run.ndjson', 'import run.ndjson --as build-before', 'import - < everything.ndjson'],
  options: [
    { flags: '--as <session>', summary: 'name the session so, instead of as it was', kind: 'text' },
    { flags: '--skip-existing', summary: 'leave out sessions that are there already' },
  ],
  notes: ['', 'What is imported stays as it was recorded: it takes no events and no commands.', 'See it happen again: shannon-dash replay'],
};
