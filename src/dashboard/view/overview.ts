import type { SessionState } from '../../core/protocol/session-state.ts';
import { openDecisions } from './decision-prompt.ts';
import { counted, durationSince, rate } from './figures.ts';
import type { SessionSummary } from './picture.ts';
import { columns, type Cell, type Look, type Span } from './row.ts';
import { hasLostOrchestrator, ranMs, silentSentence, statusSpan } from './standing.ts';
import { duration } from './figures.ts';
import { shown } from './text.ts';

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
export function sessionRow({ state, eventsPerSecond }: SessionSummary, width: number, look: Look): Span[] {
  const status = statusSpan(state.status, look);
  const speed: Cell = { text: eventsPerSecond === 0 ? '' : `${rate(eventsPerSecond)} ev/s`, width: 10, align: 'right', optional: true };
  return columns(
    width,
    [
      { ...status, width: 11 },
      { text: state.session_id, width: Math.max(10, Math.min(32, Math.floor(width / 3))), cut: 'middle' },
      { text: state.progress === null ? '' : `${Math.round(state.progress)}%`, width: 4, align: 'right' },
      { ...needSpan(state, look) },
      // What a session needs is worth more than its rate.
      ...(width < 90 ? [] : [speed]),
      { text: duration(ranMs(state, look.nowMs)), width: 7, align: 'right', optional: true },
    ],
    look.glyphs.ellipsis,
  );
}

function needSpan(state: SessionState, look: Look): Span {
  const open = openDecisions(state);
  if (open[0] !== undefined)
    return { text: `${look.glyphs.alert} ${counted(open.length, 'decision')}: ${shown(open[0].question)}`, tone: 'warn' };
  if (hasLostOrchestrator(state)) {
    return { text: `orchestrator lost, last seen ${durationSince(state.orchestrator?.last_seen ?? null, look.nowMs)} ago`, tone: 'bad' };
  }
  if (state.lost !== null) return { text: silentSentence(state, look), tone: 'bad' };
  if (state.halt !== null) return { text: `${state.status} by ${shown(state.halt.by ?? 'somebody', 60)}`, tone: 'warn' };
  if (state.status === 'failed') return { text: shown(state.error ?? 'failed'), tone: 'bad' };
  return { text: shown(state.current_skill ?? state.message ?? state.task ?? ''), tone: 'plain' };
}
