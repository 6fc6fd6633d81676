import { z } from 'zod';
import type { Endpoint } from '../http-endpoint.ts';
import { openObject } from '../json/open-object.ts';
import { byFinalStatus } from '../protocol/command-status.ts';
import { analyticsKeys } from './analytics-keys.ts';

const told = z.string('must be a text');
const number = z.number('must be a number');
const numberOrNull = number.nullable();

/** Rows in one answer. */
export const mostRows = 1_000;

/** A day, as a date or as a time of that day. */
const day = z
  .union([z.iso.date(), z.iso.datetime()], 'must be a date such as 2026-01-31, or a time such as 2026-01-31T08:00:00Z')
  .transform((text) => new Date(text).toISOString().slice(0, 10));

const figures = {
  /** Sessions in which something of it happened. */
  sessions: number,
  /** Runs that began, and how those ended that have ended. */
  started: number,
  completed: number,
  failed: number,
  lost: number,
  /** Of those that have ended; null where none has. */
  failure_rate: numberOrNull,
  /** Within 1 %. */
  duration_p50_ms: numberOrNull,
  duration_p95_ms: numberOrNull,
  working_ms: number,
  halted_ms: number,
  waiting_ms: number,
  decisions: number,
  decision_p50_ms: numberOrNull,
  decision_p95_ms: numberOrNull,
  commands_applied: number,
  commands_failed: number,
  commands_rejected: number,
  commands_expired: number,
  commands_cancelled: number,
  input_tokens: number,
  output_tokens: number,
  cost_usd: number,
};

const row = openObject({ key: told, ...figures });
const skillRow = openObject({
  skill: told,
  completed: number,
  failed: number,
  failure_rate: numberOrNull,
  duration_p50_ms: numberOrNull,
  duration_p95_ms: numberOrNull,
});
const commandRow = openObject({ command_type: told, ...byFinalStatus(() => number) });

const analyticsAnswer = openObject({
  by: told,
  since: told.nullable(),
  until: told.nullable(),
  total: openObject(figures),
  rows: z.array(row),
  /** Rows that the answer has no room for. */
  left_out: number,
  slowest_skills: z.array(skillRow),
  failing_skills: z.array(skillRow),
  commands: z.array(commandRow),
  timestamp: told,
});

export interface AnalyticsRow extends z.output<typeof row> {}
export const analyticsFields = Object.keys(row.shape) as (keyof AnalyticsRow)[];
export interface Analytics extends Omit<z.output<typeof analyticsAnswer>, 'timestamp'> {}

const query = z.object({
  by: z.enum(analyticsKeys, `must be one of ${analyticsKeys.join(', ')}`).default('day'),
  since: day.optional(),
  until: day.optional(),
  format: z.enum(['json', 'csv'], 'must be json or csv').default('json'),
});

export interface AnalyticsQuery extends Omit<z.output<typeof query>, 'format'> {}

/** What all sessions add up to. */
export const analyticsApi = {
  analytics: {
    method: 'GET',
    path: '/api/analytics',
    summary: 'What the sessions add up to, by day, project folder, agent, skill or model; whole days by UTC',
    verb: 'analytics',
    query,
    answer: analyticsAnswer,
    answerTexts: ['text/csv'],
    statuses: { 200: 'The figures; with `format=csv` the rows alone', 400: 'A field is wrong' },
  },
} as const satisfies Record<string, Endpoint>;
