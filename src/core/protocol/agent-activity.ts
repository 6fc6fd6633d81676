import { z } from 'zod';
import { knownWord, openObject } from '../json/open-object.ts';

/** The parts of a session's state that tell what coding agents do: tools, tokens and cost, messages, waiting. */

const text = z.string('must be a text');
const textOrNull = text.nullable();
const number = z.number('must be a number');
const numberOrNull = number.nullable();

/** An agent waits for a person and does nothing meanwhile. */
export const waiting = openObject({ reason: textOrNull, message: textOrNull, since: text });

export const tool = openObject({
  tool_id: text,
  tool_name: text,
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

const saidMessage = openObject({ text, agent_id: textOrNull, at: text });

export const messages = openObject({
  user: number,
  assistant: number,
  last_user: saidMessage.nullable(),
  last_assistant: saidMessage.nullable(),
});

export interface ToolState extends z.output<typeof tool> {}
export interface Usage extends z.output<typeof usage> {}

/** The sum of no report. */
export function noUsage(): Usage {
  return { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, cost_usd: 0, reports: 0 };
}

export function noMessages(): z.output<typeof messages> {
  return { user: 0, assistant: 0, last_user: null, last_assistant: null };
}
