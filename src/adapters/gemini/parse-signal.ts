import { z } from 'zod';
import { check, parse } from '../../core/json/parse.ts';
import { beginnings, fieldsOf, maybeText, required, textOf, type Said } from '../said.ts';
import type { FileChange, Signal, ToolCall } from '../signal.ts';

/** What the Gemini CLI sends with a hook (0.61.0). It gives calls of tools no id, and sub-agents none either. */
const hookPayload = z.looseObject({
  session_id: required,
  hook_event_name: required,
  cwd: maybeText,
  source: maybeText,
  prompt: maybeText,
  prompt_response: maybeText,
  tool_name: maybeText,
  tool_input: z.unknown().optional(),
  tool_response: z.unknown().optional(),
  notification_type: maybeText,
  message: maybeText,
  reason: maybeText,
});

type HookPayload = z.output<typeof hookPayload>;

/** @throws ShannonDashError INVALID */
export function parseSignal(input: unknown): Signal {
  const payload = parse(hookPayload, input);
  const { session_id: session, hook_event_name: event } = payload;
  return { ...heardIn(payload), event, session, cwd: textOf(payload.cwd), payload };
}

function heardIn(payload: HookPayload): Said {
  const common = { agentId: null, model: null };
  switch (payload.hook_event_name) {
    case 'SessionStart':
      return { ...common, kind: 'session-started', how: beginnings.get(payload.source) ?? 'new', title: null };
    case 'BeforeAgent':
      return { ...common, kind: 'prompt', text: withoutContext(payload.prompt ?? ''), by: 'user' };
    case 'BeforeTool':
      return { ...common, kind: 'tool-starting', tool: toolOf(payload) };
    case 'AfterTool': {
      const tool = toolOf(payload);
      const { error } = fieldsOf(payload.tool_response);
      if (error !== undefined && error !== null) {
        return { ...common, kind: 'tool-failed', tool, error: errorText(error), isInterrupted: false, durationMs: null };
      }
      return {
        ...common,
        kind: 'tool-ended',
        tool,
        result: payload.tool_response,
        durationMs: null,
        files: changedFiles(payload.tool_response),
      };
    }
    case 'Notification': {
      const reason = payload.notification_type === 'ToolPermission' ? 'permission' : 'input';
      return { ...common, kind: 'waiting', reason, message: textOf(payload.message) };
    }
    case 'AfterAgent':
      return { ...common, kind: 'turn-ended', message: textOf(payload.prompt_response), background: null };
    case 'SessionEnd':
      return { ...common, kind: 'session-ended', reason: textOf(payload.reason) };
    default:
      return { ...common, kind: 'other' };
  }
}

/** What a hook of SessionStart has told the model stands before the first prompt, and comes back with it. */
function withoutContext(prompt: string): string {
  return prompt.replace(/^(?:<hook_context>[\s\S]*?<\/hook_context>\s*)+/, '');
}

function errorText(error: unknown): string {
  if (typeof error === 'string') return error;
  const { message } = fieldsOf(error);
  return typeof message === 'string' ? message : 'The tool failed';
}

function toolOf({ tool_name, tool_input }: HookPayload): ToolCall {
  return { id: null, name: textOf(tool_name) ?? 'unknown', input: tool_input };
}

const lines = z.number().nullable().catch(null).default(null);
const written = z.object({
  returnDisplay: z.object({
    filePath: z.string(),
    isNewFile: z.boolean().catch(false),
    diffStat: z
      .object({ model_added_lines: lines, model_removed_lines: lines })
      .catch({ model_added_lines: null, model_removed_lines: null }),
  }),
});

/** The file that write_file or replace has changed, as its result says it. */
function changedFiles(response: unknown): FileChange[] {
  const { data } = check(written, response);
  if (data === undefined) return [];
  const { filePath, isNewFile, diffStat } = data.returnDisplay;
  const change = isNewFile ? 'created' : 'modified';
  return [{ path: filePath, change, linesAdded: diffStat.model_added_lines, linesRemoved: diffStat.model_removed_lines }];
}
