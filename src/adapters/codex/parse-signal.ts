import { z } from 'zod';
import { parse } from '../../core/json/parse.ts';
import { beginnings, fieldsOf, maybeText, required, textOf, type Said } from '../said.ts';
import type { Signal, ToolCall } from '../signal.ts';
import { patchedFiles } from './patched-files.ts';

/** What Codex sends with a hook (0.171.0). */
const hookPayload = z.looseObject({
  session_id: required,
  hook_event_name: required,
  turn_id: maybeText,
  cwd: maybeText,
  model: maybeText,
  agent_id: maybeText,
  agent_type: maybeText,
  source: maybeText,
  prompt: maybeText,
  tool_name: maybeText,
  tool_input: z.unknown().optional(),
  tool_use_id: maybeText,
  tool_response: z.unknown().optional(),
  trigger: maybeText,
  reason: maybeText,
  last_assistant_message: maybeText,
});

type HookPayload = z.output<typeof hookPayload>;

/** @throws ShannonDashError INVALID */
export function parseSignal(input: unknown): Signal {
  const payload = parse(hookPayload, input);
  const { session_id: session, hook_event_name: event } = payload;
  return { ...heardIn(payload), event, session, cwd: textOf(payload.cwd), payload };
}

function heardIn(payload: HookPayload): Said {
  const agentId = textOf(payload.agent_id);
  const common = { agentId, model: textOf(payload.model) };
  switch (payload.hook_event_name) {
    case 'SessionStart':
      return { ...common, kind: 'session-started', how: beginnings.get(payload.source) ?? 'new', title: null };
    case 'UserPromptSubmit':
      return { ...common, kind: 'prompt', text: payload.prompt ?? '', by: 'user' };
    case 'PreToolUse':
      return { ...common, kind: 'tool-starting', tool: toolOf(payload) };
    case 'PermissionRequest':
      // Codex refuses every answer that would make a rule of it.
      return { ...common, kind: 'permission', tool: askedOf(payload), always: null };
    case 'PostToolUse': {
      const tool = toolOf(payload);
      return { ...common, kind: 'tool-ended', tool, result: payload.tool_response, durationMs: null, files: patchedFiles(tool) };
    }
    case 'SubagentStart':
      if (agentId === null) return { ...common, kind: 'other' };
      return { ...common, agentId, kind: 'agent-started', role: textOf(payload.agent_type), task: null };
    case 'SubagentStop':
      if (agentId === null) return { ...common, kind: 'other' };
      return { ...common, agentId, kind: 'agent-ended', message: textOf(payload.last_assistant_message), isFailed: false };
    case 'PreCompact':
    case 'PostCompact':
      return { ...common, kind: 'compacting', isDone: payload.hook_event_name === 'PostCompact', trigger: textOf(payload.trigger) };
    case 'Stop':
      return { ...common, kind: 'turn-ended', message: textOf(payload.last_assistant_message), background: null };
    // A person has broken the turn off. No call that was under way ends by itself after this.
    case 'Interrupt':
      return { ...common, kind: 'turn-ended', message: null, background: null };
    case 'SessionEnd':
      return { ...common, kind: 'session-ended', reason: textOf(payload.reason) };
    default:
      return { ...common, kind: 'other' };
  }
}

/** A request has no id, and what the model says for it stands in its input. Without that it names the call as the call itself does. */
function askedOf(payload: HookPayload): ToolCall {
  const { description: _, ...input } = fieldsOf(payload.tool_input);
  return toolOf({ ...payload, tool_input: input });
}

function toolOf({ tool_use_id, tool_name, tool_input }: HookPayload): ToolCall {
  return { id: textOf(tool_use_id), name: textOf(tool_name) ?? 'unknown', input: tool_input };
}
