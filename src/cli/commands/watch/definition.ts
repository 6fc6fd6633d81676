import type { UntilCondition } from '../../../view/watch-end.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** What `--until` takes. */
const untilConditions: readonly UntilCondition[] = ['done', 'failed', 'lost', 'decision'];

/** The options of `watch`. */
export interface WatchOptions {
  plain?: boolean;
  wait?: boolean;
  all?: boolean;
  filter?: string[];
  since?: number;
  tail?: number;
  at?: number;
  until?: UntilCondition;
  timeout?: string;
  exitStatus?: boolean;
  failOnDecision?: boolean;
  readonly?: boolean;
  bell?: boolean;
  desktop?: boolean;
  notify?: string[];
  ascii?: boolean;
}

/** `watch`: a session, or all of them, live. */
export const watchDefinition: CommandDefinition = {
  name: 'watch',
  summary: 'Watch a session or all live, or a recording',
  arguments: [{ name: 'session', kind: 'session', isOptional: true, isRepeatable: true }],
  examples: ['watch', "watch run-7f3a --plain -f 'skill:*' --tail 20", 'watch run-7f3a --json --until done --exit-status'],
  options: [
    { flags: '--plain', summary: 'a line for each event (so it is without a terminal)' },
    { flags: '--wait', summary: 'wait for a session that does not exist yet' },
    { flags: '-f, --filter <glob>', summary: 'only events such as skill:* (repeatable)', kind: 'event-glob', isRepeatable: true },
    { flags: '--since <number>', summary: 'begin after this event (its seq in --json; 0: all)', kind: 'whole-number' },
    { flags: '-n, --tail <count>', summary: 'begin with the last events', kind: 'whole-number' },
    { flags: '--at <number>', summary: 'as it was up to this event (its seq in --json)', kind: 'whole-number' },
    {
      flags: '--until <what>',
      summary: 'end when the run is done, failed, lost, or asks: decision',
      kind: 'text',
      choices: untilConditions,
    },
    { flags: '--timeout <time>', summary: 'how long to wait for that end at most (exit 3 then)', kind: 'duration' },
    { flags: '--all', summary: 'with --until: wait for all sessions' },
    { flags: '--exit-status', summary: 'end with the run; exit 5 if it failed' },
    { flags: '--fail-on-decision', summary: 'exit 8 as soon as a decision is pending' },
    { flags: '--readonly', summary: 'on a terminal: send no commands' },
    { flags: '--bell', summary: 'ring when something needs you, or has ended' },
    { flags: '--desktop', summary: 'notify by your desktop too' },
    { flags: '--notify <glob>', summary: 'notify of events such as skill:* instead (repeatable)', kind: 'event-glob', isRepeatable: true },
    { flags: '--ascii', summary: 'on a terminal: signs of old terminals', isRare: true },
    { flags: '--mouse', summary: 'the mouse scrolls and chooses on the dashboard', isHidden: true },
    { flags: '--no-mouse', summary: 'on a terminal: leave the mouse to it', isRare: true },
  ],
};
