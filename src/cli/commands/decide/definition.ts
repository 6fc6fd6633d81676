import { collect, option, type Program } from '../../program.ts';

/** What `decide` takes beside the question. */
export interface DecideOptions {
  option?: string[];
  default?: string;
  timeout?: string;
  id?: string;
}

/** `decide`: a question that somebody answers. */
export function registerDecide(program: Program): void {
  program.add<DecideOptions>({
    usage: 'decide <question>',
    summary: 'Ask, wait for the answer, and print the choice',
    examples: [
      'decide "Deploy?" --option yes --option no',
      'decide "Go?" --option yes --option no --default no --timeout 5m',
      'decide "Which plan?" --option a --option b --id plan-1',
    ],
    options: [
      option('--option <text>', 'a possible choice (repeatable)', collect),
      option('--default <text>', 'the choice when nobody answers in time'),
      option('--timeout <time>', 'how long; without a default: exit 3 then'),
      option('-s, --session <id>', 'the session (default: the only live one)'),
      option('--id <id>', 'the same id again gets the same answer'),
    ],
    run: async (invocation) => {
      const { decide } = await import('./deciding.ts');
      return decide(invocation);
    },
  });
}
