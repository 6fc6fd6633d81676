import { isEnded, type SessionState } from '../core/protocol/session-state.ts';
import { openDecisions } from './decision-prompt.ts';
import { count, counted, duration, durationSince, rate, sparkline } from './text/numbers.ts';
import type { SessionSummary } from './view-model.ts';
import { agentRow, callText, isAgentSession, isWaiting, runningCalls, shortId } from './agents/agent-session.ts';
import { standingSpan } from './agents/standing.ts';
import { goneSentence, hasLostOrchestrator, ranMs, silentSentence } from './status-line.ts';
import { shown } from './text/shown-text.ts';
import { costText, tokensText, usedOf, usedText, usedTogether } from './text/usage-text.ts';
import type { Cell, Span } from './cells.ts';
import type { Style } from './style.ts';

/** The groups of the overview, in their order. */
export const overviewGroups = ['needs you', 'working', 'ended'] as const;

export type OverviewGroup = (typeof overviewGroups)[number];

/** What a session is about for whoever looks at all of them. */
export function groupOf(state: SessionState): OverviewGroup {
  if (isEnded(state.status) || state.status === 'lost') return 'ended';
  const needsYou = openDecisions(state).length > 0 || hasLostOrchestrator(state) || state.halt !== null || isWaiting(state);
  return needsYou ? 'needs you' : 'working';
}

/** How much a session needs a human: the lowest first, within its group. */
function need(state: SessionState): number {
  if (openDecisions(state).length > 0) return 0;
  if (hasLostOrchestrator(state)) return 1;
  if (isWaiting(state)) return 2;
  return { halting: 3, halted: 3, running: 4, created: 5, failed: 6, lost: 7, completed: 8 }[state.status];
}

/** The sessions by group, and by what needs a human first; among equals the youngest first, so that busy ones do not swap places. */
export function sortedSessions(sessions: Iterable<SessionSummary>): SessionSummary[] {
  return Array.from(sessions, (session) => ({ session, group: overviewGroups.indexOf(groupOf(session.state)), need: need(session.state) }))
    .sort(
      (a, b) =>
        a.group - b.group ||
        a.need - b.need ||
        b.session.state.created_at.localeCompare(a.session.state.created_at) ||
        a.session.state.session_id.localeCompare(b.session.state.session_id),
    )
    .map(({ session }) => session);
}

/** Whether all words of a filter are in what a session is called and how it stands: `failed api`, `needs you`. */
export function passesFilter(state: SessionState, filter: string): boolean {
  const words = filter.toLowerCase().split(' ').filter(Boolean);
  if (words.length === 0) return true;
  const { session_id, task, folder, branch, user, labels, status } = state;
  const text = [session_id, task, folder, branch, user, ...labels, status, groupOf(state), isWaiting(state) ? 'waits' : '']
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** All sessions in one line: how many of each group, and what they have used together. */
export function overviewTotals(sessions: readonly SessionSummary[]): Span[] {
  const groups = sessions.map(({ state }) => groupOf(state));
  const numbers = overviewGroups.map((group) => groups.filter((each) => each === group).length);
  const [needsYou = 0, working = 0, ended = 0] = numbers;
  const used = usedText(usedTogether(sessions.map(({ state }) => usedOf(state))));
  return [
    { text: `${count(needsYou)} ${needsYou === 1 ? 'needs' : 'need'} you`, tone: needsYou > 0 ? 'warn' : 'plain' },
    { text: `  ${count(working)} working` },
    { text: `  ${count(ended)} ended` },
    ...(used === '' ? [] : [{ text: `  ${used}`, tone: 'strong' as const }]),
  ];
}

/** The columns of the overview, and the widths of rows that have them. */
const columns = {
  mark: { width: 1 },
  status: { width: 11 },
  session: { width: { oneOf: 5, least: 10, most: 32 }, cut: 'middle' },
  done: { width: 4, align: 'right' },
  task: { width: { oneOf: 5, least: 14, most: 44 }, leastRowWidth: 110 },
  now: {},
  tokens: { width: 6, align: 'right', leastRowWidth: 88 },
  cost: { width: 7, align: 'right', optional: true },
  pulse: { width: 8, leastRowWidth: 96 },
  rate: { width: 5, align: 'right', leastRowWidth: 130 },
  time: { width: 6, align: 'right', optional: true },
} as const satisfies Record<string, Partial<Cell>>;

/** What stands above the columns. */
export function overviewHeads(): Cell[] {
  return [
    { text: '', ...columns.mark },
    { text: 'STATUS', ...columns.status },
    { text: 'SESSION', ...columns.session },
    { text: 'DONE', ...columns.done },
    { text: 'TASK', ...columns.task },
    { text: 'NOW', ...columns.now },
    { text: 'TOKENS', ...columns.tokens },
    { text: 'COST', ...columns.cost },
    { text: 'EVENTS', ...columns.pulse },
    { text: 'EV/S', ...columns.rate },
    { text: 'TIME', ...columns.time },
  ];
}

/** One row of the overview: status, progress, what it needs or does, what it has used, and its age. */
export function sessionCells({ state, eventsPerSecond, lastSeconds }: SessionSummary, style: Style, isMarked = false): Cell[] {
  const { tokens, costUsd } = usedOf(state);
  return [
    { text: isMarked ? '*' : '', tone: 'warn', ...columns.mark },
    { ...standingSpan(state, style), ...columns.status },
    { text: shortId(state.session_id), ...columns.session },
    { text: state.progress === null ? '' : `${Math.round(state.progress)}%`, ...columns.done },
    { text: shown(state.task ?? ''), ...columns.task },
    { ...nowSpan(state, style), ...columns.now },
    { text: tokensText(tokens), ...columns.tokens },
    { text: costText(costUsd), ...columns.cost },
    { text: sparkline(lastSeconds?.(columns.pulse.width) ?? [], style.glyphs.bars), tone: 'active', ...columns.pulse },
    { text: eventsPerSecond === 0 ? '' : rate(eventsPerSecond), ...columns.rate },
    { text: duration(ranMs(state, style.nowMs)), ...columns.time },
  ];
}

/** What the agent waits for, or does; and its task. */
function agentSpan(state: SessionState, style: Style): Span {
  const { state: standing, since, waiting_for, task, doing } = agentRow(state);
  const named = task === null ? '' : shown(task);
  if (standing === 'waits') {
    return {
      text: `waits ${durationSince(since, style.nowMs)} for ${shown(waiting_for ?? 'you', 100)}${named && `: ${named}`}`,
      tone: 'warn',
    };
  }
  const [call] = standing === 'works' ? runningCalls(state) : [];
  if (call !== undefined) return { text: `${callText(call)}${named && ` | ${named}`}` };
  return { text: doing === null ? named : shown(doing) };
}

/** What a session needs, or does now, or how it ended. */
function nowSpan(state: SessionState, style: Style): Span {
  const open = openDecisions(state);
  if (open[0] !== undefined)
    return { text: `${style.glyphs.alert} ${counted(open.length, 'decision')}: ${shown(open[0].question)}`, tone: 'warn' };
  if (hasLostOrchestrator(state)) return { text: goneSentence(state, style), tone: 'bad' };
  if (state.lost !== null) return { text: silentSentence(state, style), tone: 'bad' };
  if (state.halt !== null) return { text: `${state.status} by ${shown(state.halt.by ?? 'somebody', 60)}`, tone: 'warn' };
  if (state.status === 'failed') return { text: shown(state.error ?? 'failed'), tone: 'bad' };
  if (state.status === 'completed' && typeof state.result === 'string' && state.result !== '') return { text: shown(state.result) };
  if (isAgentSession(state)) return agentSpan(state, style);
  return { text: shown([state.current_skill, state.message].filter((each) => each !== null).join(': ') || (state.task ?? '')) };
}
