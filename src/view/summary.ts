import { count, counted, duration } from './text/numbers.ts';
import { openDecisions } from './decision-prompt.ts';
import { skillCounts } from './panels/skills-panel.ts';
import { ranMs } from './status-line.ts';
import type { SessionState } from '../core/protocol/session-state.ts';
import type { SessionSummary } from './view-model.ts';
import { shown } from './text/shown-text.ts';
import { urlArgument } from './text/server-arguments.ts';

/** What stays in the terminal after the dashboard has gone: at most five lines, of what there is any of. */
export function sessionSummary(state: SessionState, url: string, nowMs: number): string[] {
  const { done, failed, total } = skillCounts(state);
  const checks = state.validations.filter((check) => check.status === 'passed').length;
  const open = openDecisions(state);
  const agents = state.agents.length + state.let_go.agents;
  const files = state.files.length + state.let_go.files;
  const checkpoints = state.checkpoints.length + state.let_go.checkpoints;
  const progress = state.progress === null ? '' : `, ${Math.round(state.progress)}%`;
  const why = state.error === null ? '' : `: ${shown(state.error, 200)}`;
  return [
    `${state.session_id}  ${state.status}${why}  after ${duration(ranMs(state, nowMs))}${progress}`,
    ...told([
      [total, `skills ${done}/${total} done, ${failed} failed`],
      [agents, `agents ${agents}`],
      [state.validations.length, `checks ${checks}/${state.validations.length} passed`],
    ]),
    ...told([
      [files, `files ${count(files)} changed`],
      [checkpoints, `checkpoints ${checkpoints}`],
    ]),
    ...(open[0] === undefined ? [] : [`! ${counted(open.length, 'decision')} pending: ${shown(open[0].question, 100)}`]),
    `seen up to event ${count(state.seq)}   again: shannon-dash watch ${state.session_id}${urlArgument(url)}`,
  ];
}

/** A line of what there is any of; none where there is nothing. */
function told(parts: readonly (readonly [total: number, text: string])[]): string[] {
  const line = parts.flatMap(([total, text]) => (total === 0 ? [] : [text])).join('   ');
  return line === '' ? [] : [line];
}

/** The same for the overview of all sessions. */
export function overviewSummary(sessions: readonly SessionSummary[], url: string, wasReached = true): string[] {
  const having = (...statuses: string[]) => sessions.filter(({ state }) => statuses.includes(state.status)).length;
  const decisions = sessions.reduce((sum, { state }) => sum + openDecisions(state).length, 0);
  return [
    sessions.length > 0 ? counted(sessions.length, 'session') : wasReached ? 'no session' : `no server was reached at ${shown(url, 200)}`,
    ...told(
      [
        ['running', having('running')] as const,
        ['halted', having('halting', 'halted')] as const,
        ['waiting to start', having('created')] as const,
        ['completed', having('completed')] as const,
        ['failed', having('failed')] as const,
        ['lost', having('lost')] as const,
      ].map(([word, total]) => [total, `${word} ${total}`]),
    ),
    ...(decisions === 0 ? [] : [`! ${counted(decisions, 'decision')} pending`]),
    `again: shannon-dash watch${urlArgument(url)}`,
  ];
}
