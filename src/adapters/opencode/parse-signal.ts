import { z } from 'zod';
import { check, parse } from '../../core/json/parse.ts';
import { fieldsOf, maybeNumber, maybeText, required, textOf, type Said } from '../said.ts';
import type { FileChange, Question, Signal, ToolCall } from '../signal.ts';

const tokens = z.object({
  input: z.number(),
  output: z.number(),
  reasoning: z.number().catch(0),
  cache: z.object({ read: z.number(), write: z.number() }),
});

/** What the plugin sends (opencode-plugin.ts), with what OpenCode 1.18.33 told it. */
const hookPayload = z.looseObject({
  event: required,
  session: required,
  /** The session of a sub-agent. */
  agent: maybeText,
  directory: maybeText,
  title: maybeText,
  role: maybeText,
  text: maybeText,
  model: maybeText,
  tool: maybeText,
  callID: maybeText,
  args: z.unknown().optional(),
  output: z.unknown().optional(),
  metadata: z.unknown().optional(),
  error: maybeText,
  tokens: tokens.nullish().catch(null),
  cost: maybeNumber,
  request: z.unknown().optional(),
});

type HookPayload = z.output<typeof hookPayload>;

/** @throws ShannonDashError INVALID */
export function parseSignal(input: unknown): Signal {
  const payload = parse(hookPayload, input);
  const { event, session } = payload;
  return { ...heardIn(payload), event, session, cwd: textOf(payload.directory), payload };
}

function heardIn(payload: HookPayload): Said {
  const agentId = textOf(payload.agent);
  const common = { agentId, model: textOf(payload.model) };
  const tool: ToolCall = { id: textOf(payload.callID), name: textOf(payload.tool) ?? 'unknown', input: payload.args };
  switch (payload.event) {
    case 'session.created':
      // The title is one that OpenCode makes up until the model has found a better one.
      return { ...common, kind: 'session-started', how: 'new', title: null };
    case 'chat.message':
      return { ...common, kind: 'prompt', text: payload.text ?? '', by: agentId === null ? 'user' : 'agent' };
    case 'tool.execute.before':
      return { ...common, kind: 'tool-starting', tool };
    case 'tool.execute.after':
      return { ...common, kind: 'tool-ended', tool, result: payload.output, durationMs: null, files: changedFiles(tool, payload.metadata) };
    case 'tool.failed':
      return { ...common, kind: 'tool-failed', tool, error: payload.error ?? '', isInterrupted: false, durationMs: null };
    case 'permission.asked': {
      const { permission, always, metadata } = fieldsOf(payload.request);
      const asked = { id: tool.id, name: typeof permission === 'string' ? permission : 'unknown', input: metadata };
      return { ...common, kind: 'permission', tool: asked, always: rulesIn(always) };
    }
    case 'question.asked': {
      const asked = questionsIn(payload.request);
      if (asked.length === 0) return { ...common, kind: 'other' };
      return { ...common, kind: 'question', tool: { ...tool, name: 'question', input: payload.request }, questions: asked };
    }
    case 'agent.started':
      if (agentId === null) return { ...common, kind: 'other' };
      return { ...common, agentId, kind: 'agent-started', role: textOf(payload.role), task: textOf(payload.title) };
    case 'agent.idle':
      if (agentId === null) return { ...common, kind: 'other' };
      return { ...common, agentId, kind: 'agent-ended', message: textOf(payload.text), isFailed: false };
    case 'session.idle':
      return { ...common, kind: 'turn-ended', message: textOf(payload.text), background: null };
    case 'session.error':
      return { ...common, kind: 'turn-failed', error: payload.error ?? '' };
    case 'session.compacted':
      return { ...common, kind: 'compacting', isDone: true, trigger: null };
    case 'message.completed': {
      const used = payload.tokens;
      if (used === undefined || used === null) return { ...common, kind: 'other' };
      return {
        ...common,
        kind: 'usage',
        inputTokens: used.input,
        outputTokens: used.output + used.reasoning,
        cacheReadTokens: used.cache.read,
        cacheWriteTokens: used.cache.write,
        costUsd: payload.cost ?? null,
      };
    }
    default:
      return { ...common, kind: 'other' };
  }
}

const rules = z.array(z.string());

function rulesIn(always: unknown): string | null {
  const { data } = check(rules, always);
  return data === undefined || data.length === 0 ? null : data.join(', ');
}

const questions = z.object({
  questions: z.array(
    z.object({
      question: z.string(),
      header: z.string().nullish(),
      options: z.array(z.object({ label: z.string(), description: z.string().nullish() })),
      multiple: z.boolean().nullish(),
    }),
  ),
});

function questionsIn(request: unknown): Question[] {
  const { data } = check(questions, request);
  return (data?.questions ?? []).map(({ question, header, options, multiple }) => ({
    question,
    header: header ?? null,
    options: options.map(({ label, description }) => ({ label, description: description ?? null })),
    isMultiple: multiple === true,
  }));
}

const edited = z.object({ filediff: z.object({ file: z.string(), additions: z.number().nullish(), deletions: z.number().nullish() }) });
const written = z.object({ filepath: z.string(), exists: z.boolean() });
const content = z.object({ content: z.string() });

/** The file that a call of edit or write has changed, as its result says it. Of a file that was there before, write does not say the lines. */
function changedFiles({ name, input }: ToolCall, metadata: unknown): FileChange[] {
  if (name === 'edit') {
    const { data } = check(edited, metadata);
    if (data === undefined) return [];
    const { file, additions, deletions } = data.filediff;
    return [{ path: file, change: 'modified', linesAdded: additions ?? null, linesRemoved: deletions ?? null }];
  }
  if (name !== 'write') return [];
  const { data } = check(written, metadata);
  if (data === undefined) return [];
  if (data.exists) return [{ path: data.filepath, change: 'modified', linesAdded: null, linesRemoved: null }];
  const text = check(content, input).data?.content ?? '';
  const lines = text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return [{ path: data.filepath, change: 'created', linesAdded: lines, linesRemoved: 0 }];
}
