import type { UntilCondition } from '../../../view/watch-end.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** What `--until` takes. */
const untilConditions: readonly UntilCondition[] = ['done', 'failed', 'decision'];

/** The options of `watch`. */
export interface WatchOptions {
  plain?: boolean;
  filter?: string[];
  since?: number;
  tail?: number;
  at?: number;
  until?: UntilCondition;
  exitStatus?: boolean;
  failOnDecision?: boolean;
  readonly?: boolean;
  bell?: boolean;
  ascii?: boolean;
}

/** `watch`: a session, or all of them, live. */
export const watchDefinition: CommandDefinition = {
  name: 'watch',
  summary: 'Watch a session, or all of them, live',
  arguments: [{ name: 'session', kind: 'session', isOptional: true }],
  examples: ['watch', "watch run-7f3a --plain -f 'skill:*' --tail 20", 'watch run-7f3a --json --until done --exit-status'],
  options: [
    { flags: '--plain', summary: 'a line for each event (so it is without a terminal)' },
    { flags: '-f, --filter <glob>', summary: 'only events such as skill:* (repeatable)', kind: 'event-glob', isRepeatable: true },
    { flags: '--since <seq>', summary: 'begin after this event; 0 is the beginning', kind: 'whole-number' },
    { flags: '--tail <count>', summary: 'begin with the last events', kind: 'whole-number' },
    { flags: '--at <seq>', summary: 'as it was up to this event', kind: 'whole-number' },
    {
      flags: '--until <what>',
      summary: 'end when the run is done, failed, or asks: decision',
      kind: 'text',
      choices: untilConditions,
    },
    { flags: '--exit-status', summary: 'end with the run; exit 5 if it failed' },
    { flags: '--fail-on-decision', summary: 'exit 8 as soon as a decision is pending' },
    { flags: '--readonly', summary: 'on a terminal: send no commands' },
    { flags: '--bell', summary: 'ring when a decision is pending' },
    { flags: '--ascii', summary: 'on a terminal: signs of old terminals' },
  ],
};
