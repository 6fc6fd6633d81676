import { z } from 'zod';
import { knownWord, openObject } from '../json/open-object.ts';

/** The parts of a session's state that tell what agents do: who they are, tools, tokens and cost, messages, waiting. */

const text = z.string('must be a text');
const textOrNull = text.nullable();
const number = z.number('must be a number');
const numberOrNull = number.nullable();

/** An agent waits for a person and does nothing meanwhile. */
export const waiting = openObject({
  reason: textOrNull,
  message: textOrNull,
  since: text,
  /** True: the agent did not say so; it follows from what it did say, or from its silence. */
  inferred: z.boolean('must be true or false').default(false),
});

/** One agent of a session. */
export const agent = openObject({
  agent_id: text,
  /** The agent that began it, where it says so. */
  parent_agent_id: textOrNull.default(null),
  role: textOrNull,
  task: textOrNull,
  skill_name: textOrNull,
  status: knownWord(['running', 'lost', 'completed', 'failed'] as const),
  progress: numberOrNull,
  message: textOrNull,
  /** Since when it is idle and asks for attention. */
  waiting: waiting.nullable().default(null),
  /** What it said last, or the sum of its `usage:reported` (input and output). */
  tokens: numberOrNull,
  cost_usd: numberOrNull,
  started_at: text,
  updated_at: text,
  ended_at: textOrNull,
  duration_ms: numberOrNull,
});

export const tool = openObject({
  tool_id: text,
  tool_name: text,
  /** What the call is about: its command, its file, what it looks for. */
  detail: textOrNull.default(null),
  /** `lost`: its run ended, or was lost, before its end was told. */
  status: knownWord(['running', 'lost', 'completed', 'failed'] as const),
  agent_id: textOrNull,
  started_at: textOrNull,
  ended_at: textOrNull,
  duration_ms: numberOrNull,
  error: textOrNull,
});

export const toolUsage = openObject({
  tool_name: text,
  started: number,
  completed: number,
  failed: number,
  /** Sum over the ended calls whose length is known, in seconds, and their number. */
  duration_s: number,
  durations: number,
});

export const usageFields = {
  input_tokens: number,
  output_tokens: number,
  cache_read_tokens: number,
  cache_write_tokens: number,
  cost_usd: number,
  /** How many `usage:reported` this is the sum of. */
  reports: number,
};

export const usage = openObject(usageFields);

/** The kinds of OpenTelemetry data in which an agent tells what it has used. */
export const telemetrySignals = ['logs', 'metrics', 'traces'] as const;

/** By what a session's usage is told, and until when: by its producer itself, or by one signal of its telemetry. */
export const usageSource = openObject({ by: knownWord(['producer', ...telemetrySignals] as const), until: text });

const saidMessage = openObject({ text, agent_id: textOrNull, at: text });

export const messages = openObject({
  user: number,
  assistant: number,
  last_user: saidMessage.nullable(),
  last_assistant: saidMessage.nullable(),
});

export interface ToolState extends z.output<typeof tool> {}
export interface UsageSource extends z.output<typeof usageSource> {}
export interface Usage extends z.output<typeof usage> {}

/** The sum of no report. */
export function noUsage(): Usage {
  return { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, cost_usd: 0, reports: 0 };
}

export function noMessages(): z.output<typeof messages> {
  return { user: 0, assistant: 0, last_user: null, last_assistant: null };
}
