import type { ToolState } from '../../core/protocol/agent-activity.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { callText } from '../agents/agent-session.ts';
import type { Tone } from '../cells.ts';
import type { Style } from '../style.ts';
import { count, durationSince, finishedDuration } from '../text/numbers.ts';
import { shown } from '../text/shown-text.ts';
import type { PanelItem, PanelList } from './panel.ts';

const signs: Record<ToolState['status'], { glyph: 'running' | 'failed' | 'away' | 'done'; tone: Tone; order: number }> = {
  running: { glyph: 'running', tone: 'active', order: 0 },
  failed: { glyph: 'failed', tone: 'bad', order: 1 },
  lost: { glyph: 'away', tone: 'warn', order: 1 },
  completed: { glyph: 'done', tone: 'good', order: 1 },
};

/** The tool calls of a session: those that run first, then the others, the latest first. */
export function toolsPanel(state: SessionState): PanelList {
  const calls = state.tools.toSorted(
    (a, b) =>
      signs[a.status].order - signs[b.status].order || (b.started_at ?? b.ended_at ?? '').localeCompare(a.started_at ?? a.ended_at ?? ''),
  );
  const running = calls.filter((each) => each.status === 'running');
  const total = state.tool_usage.reduce((sum, { started }) => sum + started, 0);
  const [current] = calls;
  const more = running.length > 1 ? `, and ${running.length - 1} more` : '';
  return {
    title: `Tools ${running.length}/${count(Math.max(total, calls.length))}`,
    items: calls.map(toolItem),
    empty: 'none; its tool calls show here',
    summary: current === undefined ? [] : [{ text: `${callText(current)}${more}`, tone: signs[current.status].tone }],
    letGo: 0,
  };
}

function toolItem(call: ToolState): PanelItem {
  const { glyph, tone } = signs[call.status];
  return {
    key: `${call.tool_id} ${call.started_at}`,
    cells: (style) => [
      { text: style.glyphs[glyph], width: 1, tone },
      { text: callText(call), tone: call.status === 'failed' ? 'bad' : 'plain' },
      { text: shown(call.agent_id ?? '', 30), width: call.agent_id === null ? 0 : 12, optional: { below: 60 } },
      { text: lasted(call, style), width: 6, align: 'right', optional: true },
    ],
    detail: (style) => [
      ['tool', shown(call.tool_name)],
      ['what', shown(call.detail ?? '', 2_000)],
      ['status', call.status],
      ['agent', shown(call.agent_id ?? '')],
      ['time', lasted(call, style)],
      ['started', call.started_at ?? ''],
      ['ended', call.ended_at ?? ''],
      ['error', shown(call.error ?? '', 2_000)],
    ],
    copy: callText(call),
    lastEvent: {
      types: call.ended_at === null ? 'tool:started' : 'tool:completed,tool:failed',
      isOne: (data) => (data['tool_id'] ?? data['tool_name']) === call.tool_id,
    },
  };
}

function lasted(call: ToolState, style: Style): string {
  return call.status === 'running' ? durationSince(call.started_at, style.nowMs) : finishedDuration(call.duration_ms);
}
