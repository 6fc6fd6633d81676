import type { SessionState } from '../core/protocol/session-state.ts';
import { openDecisions } from './decision-prompt.ts';
import { counted, duration, durationSince, rate } from './text/numbers.ts';
import type { SessionSummary } from './view-model.ts';
import { hasLostOrchestrator, ranMs, silentSentence, statusSpan } from './status-line.ts';
import { shown } from './text/shown-text.ts';
import type { Cell, Span } from './cells.ts';
import type { Style } from './style.ts';

/** How much a session needs a human: the lowest first. */
function need(state: SessionState): number {
  if (openDecisions(state).length > 0) return 0;
  if (hasLostOrchestrator(state)) return 1;
  return { halting: 2, halted: 2, lost: 3, failed: 3, running: 4, created: 5, completed: 6 }[state.status];
}

/** The sessions by what needs a human first; among equals the youngest first, so that busy ones do not swap places. */
export function sortedSessions(sessions: Iterable<SessionSummary>): SessionSummary[] {
  return [...sessions].sort(
    (a, b) =>
      need(a.state) - need(b.state) ||
      b.state.created_at.localeCompare(a.state.created_at) ||
      a.state.session_id.localeCompare(b.state.session_id),
  );
}

/** One row of the overview: status, progress, what it needs, rate and age. */
export function sessionCells({ state, eventsPerSecond }: SessionSummary, style: Style): Cell[] {
  return [
    { ...statusSpan(state.status, style), width: 11 },
    { text: state.session_id, width: { oneOf: 3, least: 10, most: 32 }, cut: 'middle' },
    { text: state.progress === null ? '' : `${Math.round(state.progress)}%`, width: 4, align: 'right' },
    needSpan(state, style),
    // What a session needs is worth more than its rate.
    {
      text: eventsPerSecond === 0 ? '' : `${rate(eventsPerSecond)} ev/s`,
      width: 10,
      align: 'right',
      optional: true,
      leastRowWidth: 90,
    },
    { text: duration(ranMs(state, style.nowMs)), width: 7, align: 'right', optional: true },
  ];
}

function needSpan(state: SessionState, style: Style): Span {
  const open = openDecisions(state);
  if (open[0] !== undefined)
    return { text: `${style.glyphs.alert} ${counted(open.length, 'decision')}: ${shown(open[0].question)}`, tone: 'warn' };
  if (hasLostOrchestrator(state)) {
    return { text: `orchestrator lost, last seen ${durationSince(state.orchestrator?.last_seen ?? null, style.nowMs)} ago`, tone: 'bad' };
  }
  if (state.lost !== null) return { text: silentSentence(state, style), tone: 'bad' };
  if (state.halt !== null) return { text: `${state.status} by ${shown(state.halt.by ?? 'somebody', 60)}`, tone: 'warn' };
  if (state.status === 'failed') return { text: shown(state.error ?? 'failed'), tone: 'bad' };
  return { text: shown(state.current_skill ?? state.message ?? state.task ?? ''), tone: 'plain' };
}
