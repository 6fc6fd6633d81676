import { z } from 'zod';
import { parse } from '../../core/json/parse.ts';
import { maybeNumber, maybeText, required } from '../said.ts';

/**
 * What Claude Code sends with a hook (2.1.332). Only what is used is looked at, and what is optional may be missing or null: a field that
 * has changed its form in a newer version makes that field unknown, and not the event.
 */
const said = z.string().catch('');
const flag = z.boolean().nullish().catch(null);

const call = z.looseObject({
  tool_name: maybeText,
  tool_input: z.unknown().optional(),
  tool_use_id: maybeText,
  tool_response: z.unknown().optional(),
});
const backgroundTask = z.looseObject({ id: said, type: said, status: said, description: said, command: maybeText });

/** The fields of every event, and those of any. */
const hookPayload = z.looseObject({
  session_id: required,
  hook_event_name: required,
  cwd: maybeText,
  agent_id: maybeText,
  agent_type: maybeText,
  model: maybeText,
  source: maybeText,
  session_title: maybeText,
  prompt: maybeText,
  tool_name: maybeText,
  tool_input: z.unknown().optional(),
  tool_use_id: maybeText,
  tool_response: z.unknown().optional(),
  tool_calls: z.array(call).nullish().catch(null),
  duration_ms: maybeNumber,
  error: maybeText,
  error_details: maybeText,
  is_interrupt: flag,
  reason: maybeText,
  permission_suggestions: z.array(z.looseObject({})).nullish().catch(null),
  message: maybeText,
  notification_type: maybeText,
  last_assistant_message: maybeText,
  background_tasks: z.array(backgroundTask).nullish().catch(null),
  trigger: maybeText,
  to_model: maybeText,
  new_cwd: maybeText,
  file_path: maybeText,
  event: maybeText,
  task_id: maybeText,
  task_subject: maybeText,
});

export interface HookPayload extends z.output<typeof hookPayload> {}

/** @throws ShannonDashError INVALID */
export function parseHookPayload(input: unknown): HookPayload {
  return parse(hookPayload, input);
}
