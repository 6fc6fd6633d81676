import { z } from 'zod';
import { check, parse } from '../../core/json/parse.ts';
import { takes, type Adapter, type HookEvent } from '../adapter.ts';
import type { Answer } from '../answer.ts';
import { maybeNumber, maybeText, required, textOf, type Said } from '../said.ts';

const now: HookEvent = { holdMs: 0 };
const held: HookEvent = { holdMs: 240_000 };

/** What Cursor sends with a hook, as it is documented. It was never run with this adapter. */
const hookPayload = z.looseObject({
  conversation_id: required,
  hook_event_name: required,
  workspace_roots: z.array(z.string()).nullish().catch(null),
  cwd: maybeText,
  model: maybeText,
  prompt: maybeText,
  tool_name: maybeText,
  tool_input: z.unknown().optional(),
  tool_use_id: maybeText,
  tool_output: z.unknown().optional(),
  error_message: maybeText,
  duration: maybeNumber,
  file_path: maybeText,
  edits: z.unknown().optional(),
  text: maybeText,
  status: maybeText,
  reason: maybeText,
  trigger: maybeText,
});

type HookPayload = z.output<typeof hookPayload>;

/** Cursor by its hooks, unproven. */
export const cursorAdapter: Adapter = {
  agent: 'cursor',
  events: {
    sessionStart: now,
    beforeSubmitPrompt: held,
    preToolUse: held,
    postToolUse: now,
    postToolUseFailure: now,
    afterFileEdit: now,
    afterAgentResponse: now,
    preCompact: now,
    stop: now,
    sessionEnd: now,
  },
  abilities: {
    commands: {
      HALT: true,
      RESUME: true,
      REDIRECT: true,
      INJECT: 'Cursor takes no context by its hooks: REDIRECT tells the agent something',
      ROLLBACK: true,
    },
    agentTools: [],
    answers: { prompt: ['refuse-prompt'], 'tool-starting': ['deny'], 'turn-ended': ['go-on'] },
  },
  parse(input) {
    const payload = parse(hookPayload, input);
    const { conversation_id: session, hook_event_name: event } = payload;
    return { ...heardIn(payload), event, session, cwd: textOf(payload.cwd) ?? payload.workspace_roots?.[0] ?? null, payload };
  },
  write: (signal, answer) => (takes(cursorAdapter, signal, answer.kind) ? writeAnswer(answer) : {}),
};

function heardIn(payload: HookPayload): Said {
  const common = { agentId: null, model: textOf(payload.model) };
  const tool = { id: textOf(payload.tool_use_id), name: textOf(payload.tool_name) ?? 'unknown', input: payload.tool_input };
  const durationMs = payload.duration ?? null;
  switch (payload.hook_event_name) {
    case 'sessionStart':
      return { ...common, kind: 'session-started', how: 'new', title: null };
    case 'beforeSubmitPrompt':
      return { ...common, kind: 'prompt', text: payload.prompt ?? '', by: 'user' };
    case 'preToolUse':
      return { ...common, kind: 'tool-starting', tool };
    case 'postToolUse':
      return { ...common, kind: 'tool-ended', tool, result: payload.tool_output, durationMs, files: [] };
    case 'postToolUseFailure':
      return { ...common, kind: 'tool-failed', tool, error: payload.error_message ?? '', isInterrupted: false, durationMs };
    case 'afterFileEdit': {
      const path = textOf(payload.file_path);
      return { ...common, kind: 'files-changed', files: path === null ? [] : [{ path, change: 'modified', ...linesOf(payload.edits) }] };
    }
    case 'afterAgentResponse':
      return { ...common, kind: 'message', text: payload.text ?? '' };
    case 'preCompact':
      return { ...common, kind: 'compacting', isDone: false, trigger: textOf(payload.trigger) };
    case 'stop':
      if (payload.status === 'error')
        return { ...common, kind: 'turn-failed', error: payload.error_message ?? 'The turn ended by an error' };
      return { ...common, kind: 'turn-ended', message: null, background: null };
    case 'sessionEnd':
      return { ...common, kind: 'session-ended', reason: textOf(payload.reason) };
    default:
      return { ...common, kind: 'other' };
  }
}

const edits = z.array(z.object({ old_string: z.string(), new_string: z.string() }));

function linesOf(value: unknown): { linesAdded: number | null; linesRemoved: number | null } {
  const { data } = check(edits, value);
  if (data === undefined) return { linesAdded: null, linesRemoved: null };
  const count = (texts: string[]) => texts.reduce((sum, text) => sum + (text === '' ? 0 : text.split('\n').length), 0);
  return { linesAdded: count(data.map((edit) => edit.new_string)), linesRemoved: count(data.map((edit) => edit.old_string)) };
}

function writeAnswer(answer: Answer): Record<string, unknown> {
  switch (answer.kind) {
    case 'deny':
      return { permission: 'deny', user_message: answer.reason, agent_message: answer.reason };
    case 'refuse-prompt':
      return { continue: false, user_message: answer.reason };
    case 'go-on':
      return { followup_message: answer.instructions };
    default:
      return {};
  }
}
