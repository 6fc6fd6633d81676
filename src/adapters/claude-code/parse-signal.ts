import { beginnings, textOf, type Said } from '../said.ts';
import type { BackgroundTask, Question, Signal, ToolCall } from '../signal.ts';
import { changedFiles } from './changed-files.ts';
import { parseHookPayload, type HookPayload } from './hook-payload.ts';
import { ruleInWords } from './permission-rules.ts';

/** @throws ShannonDashError INVALID */
export function parseSignal(input: unknown): Signal {
  const payload = parseHookPayload(input);
  const { session_id: session, hook_event_name: event } = payload;
  const cwd = textOf(payload.new_cwd) ?? textOf(payload.cwd);
  return { ...heardIn(payload), event, session, cwd, payload };
}

function heardIn(payload: HookPayload): Said {
  const agentId = textOf(payload.agent_id);
  const common = { agentId, model: textOf(payload.to_model) ?? textOf(payload.model) };
  const tool = toolOf(payload);
  switch (payload.hook_event_name) {
    case 'SessionStart':
      return { ...common, kind: 'session-started', how: beginnings.get(payload.source) ?? 'new', title: textOf(payload.session_title) };
    case 'UserPromptSubmit': {
      const text = payload.prompt ?? '';
      // The end of a background task wakes the agent with a prompt of its own.
      const isUsers = /^(?:user|sdk|)$/.test(payload.source ?? '') && !text.startsWith('<task-notification>');
      return { ...common, kind: 'prompt', text, by: isUsers ? 'user' : 'agent' };
    }
    case 'PreToolUse':
      return { ...common, kind: 'tool-starting', tool };
    case 'PermissionRequest':
      return {
        ...common,
        ...(asked(tool) ?? { kind: 'permission', always: ruleInWords(payload.permission_suggestions ?? []) }),
        tool,
      };
    case 'PostToolBatch':
      return {
        ...common,
        kind: 'calls-over',
        calls: (payload.tool_calls ?? []).map((each) => ({ tool: toolOf(each), result: each.tool_response })),
      };
    case 'PermissionDenied':
      return { ...common, kind: 'permission-denied', tool, reason: payload.reason ?? '' };
    case 'PostToolUse': {
      const durationMs = payload.duration_ms ?? null;
      return { ...common, kind: 'tool-ended', tool, result: payload.tool_response, durationMs, files: changedFiles(payload) };
    }
    case 'PostToolUseFailure': {
      const { error, is_interrupt, duration_ms } = payload;
      return {
        ...common,
        kind: 'tool-failed',
        tool,
        error: error ?? '',
        isInterrupted: is_interrupt === true,
        durationMs: duration_ms ?? null,
      };
    }
    case 'FileChanged': {
      const change = payload.event === 'add' ? 'created' : payload.event === 'unlink' ? 'deleted' : 'modified';
      const path = textOf(payload.file_path);
      return { ...common, kind: 'files-changed', files: path === null ? [] : [{ path, change, linesAdded: null, linesRemoved: null }] };
    }
    case 'SubagentStart':
      return agentId === null
        ? { ...common, kind: 'other' }
        : { ...common, agentId, kind: 'agent-started', role: textOf(payload.agent_type), task: null };
    case 'SubagentStop':
      return agentId === null
        ? { ...common, kind: 'other' }
        : { ...common, agentId, kind: 'agent-ended', message: textOf(payload.last_assistant_message), isFailed: false };
    case 'Notification':
      if (isNews.test(payload.notification_type ?? '')) return { ...common, kind: 'other' };
      return { ...common, kind: 'waiting', reason: waitingFor(payload.notification_type), message: textOf(payload.message) };
    case 'PreCompact':
    case 'PostCompact':
      return { ...common, kind: 'compacting', isDone: payload.hook_event_name === 'PostCompact', trigger: textOf(payload.trigger) };
    case 'Stop':
      return { ...common, kind: 'turn-ended', message: textOf(payload.last_assistant_message), background: backgroundOf(payload) };
    case 'StopFailure':
      return {
        ...common,
        kind: 'turn-failed',
        error: [payload.error, payload.error_details ?? payload.last_assistant_message].filter((each) => textOf(each) !== null).join(': '),
      };
    case 'SessionEnd':
      return { ...common, kind: 'session-ended', reason: textOf(payload.reason) };
    case 'PostModelSwitch':
    case 'CwdChanged':
      return { ...common, kind: 'settings-changed' };
    default:
      return { ...common, kind: 'other' };
  }
}

/** Kinds of notifications that say that something has happened; the others ask for a person. */
const isNews = /(?:_completed?|_success|_response)$/;

function waitingFor(type: string | null | undefined): 'permission' | 'idle' | 'input' {
  if (type === 'permission_prompt') return 'permission';
  return type === 'idle_prompt' ? 'idle' : 'input';
}

function toolOf({ tool_use_id, tool_name, tool_input }: Pick<HookPayload, 'tool_use_id' | 'tool_name' | 'tool_input'>): ToolCall {
  return { id: textOf(tool_use_id), name: textOf(tool_name) ?? 'unknown', input: tool_input };
}

/** The two tools by which Claude asks a person; undefined for any other. */
function asked({ name, input }: ToolCall): { kind: 'question'; questions: Question[] } | { kind: 'plan'; plan: string } | undefined {
  const fields = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>;
  if (name === 'ExitPlanMode') return { kind: 'plan', plan: typeof fields['plan'] === 'string' ? fields['plan'] : '' };
  if (name !== 'AskUserQuestion') return undefined;
  const questions = listOf(fields['questions']).flatMap((each) => questionOf(each));
  return questions.length === 0 ? undefined : { kind: 'question', questions };
}

function questionOf(fields: Record<string, unknown>): Question[] {
  const { question, header, options, multiSelect } = fields;
  if (typeof question !== 'string' || question === '') return [];
  const choices = listOf(options).flatMap(({ label, description }) =>
    typeof label === 'string' && label !== '' ? [{ label, description: typeof description === 'string' ? description : null }] : [],
  );
  return [{ question, header: typeof header === 'string' ? header : null, options: choices, isMultiple: multiSelect === true }];
}

function backgroundOf({ background_tasks }: HookPayload): BackgroundTask[] | null {
  if (background_tasks === undefined || background_tasks === null) return null;
  const isOver = /^(?:completed|failed|killed|stopped|done)$/;
  return background_tasks
    .filter(({ status }) => !isOver.test(status))
    .map(({ id, type, description, command }) => ({ id, type, description: description === '' ? (command ?? '') : description }));
}

function listOf(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null);
}
