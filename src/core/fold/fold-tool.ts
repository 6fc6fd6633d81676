import type { SessionEvent } from '../protocol/event.ts';
import { foldLimits } from '../protocol/limits.ts';
import type { ToolState, ToolUsage } from '../protocol/agent-activity.ts';
import type { SessionState } from '../protocol/session-state.ts';
import { errorTextOf, lengthMs, sum, textField } from './fold-values.ts';

/** `tool:*`: the call itself, and how often each tool was called. */
export function foldTool(state: SessionState, event: SessionEvent): Partial<SessionState> | undefined {
  const toolName = textField(event.data, 'tool_name');
  const toolId = textField(event.data, 'tool_id') ?? toolName;
  if (toolId === null) return undefined;
  const at = state.tools.findLastIndex((each) => each.tool_id === toolId);
  const tool = nextTool(event, { toolId, toolName }, state.tools[at]);
  return {
    tools: withCall(state.tools, at, tool),
    ...countedUsage(state, event.type, tool),
  };
}

/** The calls with one replaced, or added where `at` is -1. Beyond the limit the oldest that has ended makes room. */
function withCall(tools: readonly ToolState[], at: number, tool: ToolState): ToolState[] {
  if (at !== -1) return tools.with(at, tool);
  const isFull = tools.length >= foldLimits.tools;
  const oldest = isFull
    ? Math.max(
        0,
        tools.findIndex(({ status }) => status !== 'running'),
      )
    : -1;
  return [...tools.filter((_, index) => index !== oldest), tool];
}

function nextTool(
  { type, data, timestamp }: SessionEvent,
  { toolId, toolName }: { toolId: string; toolName: string | null },
  known: ToolState | undefined,
): ToolState {
  const agentId = textField(data, 'agent_id') ?? known?.agent_id ?? null;
  const tool = { tool_id: toolId, tool_name: toolName ?? known?.tool_name ?? toolId, agent_id: agentId };
  if (type === 'tool:started') return { ...tool, status: 'running', started_at: timestamp, ended_at: null, duration_ms: null, error: null };
  const startedAt = known?.status === 'running' ? known.started_at : null;
  return {
    ...tool,
    status: type === 'tool:completed' ? 'completed' : 'failed',
    started_at: startedAt,
    ended_at: timestamp,
    duration_ms: lengthMs(data, startedAt, timestamp),
    error: type === 'tool:failed' ? errorTextOf(data, 'error') : null,
  };
}

function countedUsage(state: SessionState, type: string, tool: ToolState): Partial<SessionState> {
  const at = state.tool_usage.findIndex((each) => each.tool_name === tool.tool_name);
  if (at === -1 && state.tool_usage.length >= foldLimits.toolUsage) return {};
  const before: ToolUsage = state.tool_usage[at] ?? {
    tool_name: tool.tool_name,
    started: 0,
    completed: 0,
    failed: 0,
    duration_s: 0,
    durations: 0,
  };
  const isTimed = type !== 'tool:started' && tool.duration_ms !== null;
  const after: ToolUsage = {
    ...before,
    started: before.started + (type === 'tool:started' ? 1 : 0),
    completed: before.completed + (type === 'tool:completed' ? 1 : 0),
    failed: before.failed + (type === 'tool:failed' ? 1 : 0),
    duration_s: sum(before.duration_s, isTimed ? (tool.duration_ms ?? 0) / 1_000 : 0),
    durations: before.durations + (isTimed ? 1 : 0),
  };
  const tool_usage = state.tool_usage.slice();
  tool_usage[at === -1 ? tool_usage.length : at] = after;
  return { tool_usage };
}
