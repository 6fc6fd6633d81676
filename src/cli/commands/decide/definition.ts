import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `decide`. */
export interface DecideOptions {
  option?: string[];
  default?: string;
  timeout?: string;
  id?: string;
}

/** `decide`: asks a person a question and waits for the answer. */
export const decideDefinition: CommandDefinition = {
  name: 'decide',
  summary: 'Ask, wait for the answer, and print the choice',
  arguments: [{ name: 'question', kind: 'text' }],
  examples: [
    'decide "Deploy?" --option yes --option no',
    'decide "Go?" --option yes --option no --default no --timeout 5m',
    'decide "Which plan?" --option a --option b --id plan-1',
  ],
  options: [
    { flags: '--option <text>', summary: 'a possible choice (repeatable)', kind: 'text', isRepeatable: true },
    { flags: '--default <text>', summary: 'the choice when nobody answers in time', kind: 'text' },
    { flags: '--timeout <time>', summary: 'how long; without a default: exit 3 then', kind: 'duration' },
    { flags: '-s, --session <id>', summary: 'the session (default: the only live one)', kind: 'session' },
    { flags: '--id <id>', summary: 'the same id again gets the same answer, in a later run too', kind: 'text' },
  ],
};
