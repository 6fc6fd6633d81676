import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `replay`. */
export interface ReplayOptions {
  speed?: number;
  from?: string;
  maxPause?: string;
  as?: string;
}

/** `replay`: a recorded session, happening again as one of its own. */
export const replayDefinition: CommandDefinition = {
  name: 'replay',
  summary: 'Have a session or a recording happen again, as a session of its own',
  arguments: [
    { name: 'what', kind: 'session' },
    { name: 'session', kind: 'text', isOptional: true },
  ],
  examples: ['replay build --speed 8', 'replay ./run.ndjson --from 12m', 'replay ./everything.ndjson build --max-pause 2s'],
  options: [
    { flags: '--speed <factor>', summary: 'so many times as fast (default: 1)', kind: 'positive-number' },
    { flags: '--from <place>', summary: 'at once up to this event, time, or time into it: 1200, 12m', kind: 'text' },
    { flags: '--max-pause <time>', summary: 'wait no longer between two events: 2s', kind: 'text' },
    { flags: '--as <session>', summary: 'name the new session so (default: replay-...)', kind: 'text' },
  ],
  notes: [
    '',
    'Keys on a terminal: space pauses, + and - change the speed, q ends. HALT, RESUME and STOP to the new session do the same.',
    'A file with several sessions needs the name of one.',
  ],
};
