import { agentLimits } from '../../core/protocol/limits.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Answer } from '../answer.ts';
import type { FileChange, Signal, SignalOf, ToolCall } from '../signal.ts';
import { callOf, leave } from './decisions.ts';
import type { Told } from './told.ts';
import { toldText, toldValue } from './told-value.ts';

/** @param who the agent, as the data of its events names it */
export function toolStarted(signal: Extract<Signal, { tool: unknown }>, who: object): Told {
  return { type: 'tool:started', data: { ...callData(signal, who), input: toldValue(signal.tool.input) } };
}

/** Open decisions about a call that has run, or was denied: they were answered at the agent's own prompt. */
export function closedDecisions(signal: Signal, { state }: { state: SessionState | undefined }): Told[] {
  const over = signal.kind === 'calls-over' ? signal.calls.map(({ tool }) => tool.id) : isOver(signal) ? [signal.tool.id] : [];
  const hasRun = signal.kind === 'tool-ended';
  const open = (state?.decisions ?? []).filter((each) => {
    const call = each.status === 'open' ? callOf(each) : undefined;
    return call !== undefined && call.toolId !== null && over.includes(call.toolId);
  });
  return open.map((decision) => {
    const hook = callOf(decision)?.hook;
    const choice = hook === 'permission' ? (hasRun ? 'allow' : 'deny') : hook === 'plan' ? (hasRun ? 'approve' : 'reject') : leave;
    return { type: 'decision:made', data: { decision_id: decision.decision_id, choice, made_by: 'terminal' } };
  });
}

/** The calls of an agent whose end nobody has told, while the agent is done. */
export function unheardEnds(state: SessionState | undefined, agentId: string | null): Told[] {
  const open = (state?.tools ?? []).filter((each) => each.status === 'running' && each.agent_id === agentId);
  return open.map(({ tool_id, tool_name }) => ({ type: 'tool:completed', data: { tool_id, tool_name, inferred: true } }));
}

/** A call that our answer has denied does not happen, and its agent says no more of it. */
export function deniedEvents(signal: Signal, answer: Answer, agentId: string | null): Told[] {
  const reason =
    answer.kind === 'deny' ? answer.reason : answer.kind === 'plan' && !answer.isApproved ? (answer.reason ?? 'not approved') : null;
  if (reason === null || !('tool' in signal) || signal.tool.id === null) return [];
  return [deniedCall(signal.tool, reason, agentId === null ? {} : { agent_id: agentId })];
}

export function deniedCall(tool: ToolCall, reason: string, who: object): Told {
  return { type: 'tool:failed', data: { ...callData({ tool }, who), error: `denied: ${toldText(reason, agentLimits.toolTextChars)}` } };
}

export function filesChanged(files: readonly FileChange[], who: object): Told[] {
  return files.slice(0, 500).map(({ path, change, linesAdded, linesRemoved }) => ({
    type: `file:${change}`,
    data: { path: toldText(path, 1_000), lines_added: linesAdded, lines_removed: linesRemoved, ...who },
  }));
}

export function durationOf({ durationMs }: { durationMs: number | null }): { duration?: number } {
  return durationMs === null || durationMs < 0 ? {} : { duration: durationMs / 1_000 };
}

export function callData({ tool }: { tool: ToolCall }, who: object): { tool_name: string; tool_id?: string } {
  return { tool_name: toldText(tool.name, 200), ...(tool.id === null ? {} : { tool_id: toldText(tool.id, 200) }), ...who };
}

function isOver(signal: Signal): signal is SignalOf<'tool-ended' | 'tool-failed' | 'permission-denied'> {
  return signal.kind === 'tool-ended' || signal.kind === 'tool-failed' || signal.kind === 'permission-denied';
}
