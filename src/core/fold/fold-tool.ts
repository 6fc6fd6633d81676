import type { SessionEvent } from '../protocol/event.ts';
import { foldLimits } from '../protocol/limits.ts';
import type { ToolState } from '../protocol/agent-activity.ts';
import type { SessionState } from '../protocol/session-state.ts';
import { errorTextOf, lengthMs, textField } from './fold-values.ts';
import { toolDetail } from '../tool-detail.ts';
import { withUse } from './use-counts.ts';

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
  const detail = toolDetail(data['input']) ?? known?.detail ?? null;
  const tool = { tool_id: toolId, tool_name: toolName ?? known?.tool_name ?? toolId, detail, agent_id: agentId };
  if (type === 'tool:started') return { ...tool, status: 'running', started_at: timestamp, ended_at: null, duration_ms: null, error: null };
  const startedAt = known?.status === 'running' ? known.started_at : null;
  return {
    ...tool,
    // An end that is only inferred says nothing of how the call ended.
    status: data['inferred'] === true ? 'lost' : type === 'tool:completed' ? 'completed' : 'failed',
    started_at: startedAt,
    ended_at: timestamp,
    duration_ms: lengthMs(data, startedAt, timestamp),
    error: type === 'tool:failed' ? errorTextOf(data, 'error') : null,
  };
}

function countedUsage(state: SessionState, type: string, { tool_name, duration_ms, status }: ToolState): Partial<SessionState> {
  if (status === 'lost') return {};
  const step = type === 'tool:started' ? 'started' : type === 'tool:completed' ? 'completed' : 'failed';
  const use = { step, timedMs: step === 'started' ? null : duration_ms } as const;
  const tool_usage = withUse(state.tool_usage, { tool_name }, (each) => each.tool_name === tool_name, use, foldLimits.toolUsage);
  return tool_usage === undefined ? {} : { tool_usage };
}
