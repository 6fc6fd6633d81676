import { z } from 'zod';
import { knownWord, openObject } from '../json/open-object.ts';
import { byFinalStatus } from '../protocol/command-status.ts';
import { commandTypes } from '../protocol/known-words.ts';

const text = z.string('must be a text');
const number = z.number('must be a number');

/** Lengths of time: pairs of a bucket and how many lengths are in it. See `core/rollup/lengths.ts`. */
const lengths = z.array(z.array(number));

const ends = { completed: number, failed: number, lengths };
const used = { input_tokens: number, output_tokens: number, cost_usd: number };

/** What happened in a session on one day, by UTC. */
const dayRollup = openObject({
  day: text,
  /** Runs that began, and those that ended. */
  started: number,
  ...ends,
  /** Where the time of runs went, in milliseconds. */
  working_ms: number,
  halted_ms: number,
  waiting_ms: number,
  /** Decisions that were made, and how long they had waited. */
  decisions: number,
  decision_lengths: lengths,
  /** Commands that ended, by their outcome. */
  commands: z.array(openObject({ command_type: knownWord(commandTypes), ...byFinalStatus(() => number.default(0)) })),
  ...used,
  skills: z.array(openObject({ name: text, ...ends })),
  /** Agents within the session, by their roles. */
  roles: z.array(openObject({ name: text, ...ends })),
  models: z.array(openObject({ name: text, ...used })),
});

/** What stands for all names beyond those that are counted by themselves. */
export const others = '(others)';

/** What a session does while a run is under way. */
const phases = ['working', 'halted', 'waiting'] as const;

/** What analytics are made of: each session keeps its own, so that who may not see a session is told nothing of it. */
export const rollup = openObject({
  /** What it does, and since when; null while no run is under way. */
  phase: knownWord(phases).nullable(),
  since: text.nullable(),
  /** The newest days on which something happened, the oldest first. */
  days: z.array(dayRollup),
});

export interface DayRollup extends z.output<typeof dayRollup> {}
export interface Rollup extends z.output<typeof rollup> {}
export type Phase = (typeof phases)[number];
export type Lengths = z.output<typeof lengths>;
export type Ends = Pick<DayRollup, 'completed' | 'failed' | 'lengths'>;
export type Used = Pick<DayRollup, 'input_tokens' | 'output_tokens' | 'cost_usd'>;

/** The rollup of a session in which nothing has happened. */
export function noRollup(): Rollup {
  return { phase: null, since: null, days: [] };
}
