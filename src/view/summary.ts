import { count, counted, duration } from './text/numbers.ts';
import { openDecisions } from './decision-prompt.ts';
import { skillCounts } from './panels/skills-panel.ts';
import { ranMs } from './status-line.ts';
import type { SessionState } from '../core/protocol/session-state.ts';
import type { SessionSummary } from './view-model.ts';
import { shown } from './text/shown-text.ts';
import { urlArgument } from './text/server-arguments.ts';

/** The five lines that stay in the terminal after the dashboard has gone. */
export function sessionSummary(state: SessionState, url: string, nowMs: number): string[] {
  const { done, failed, total } = skillCounts(state);
  const checks = state.validations.filter((check) => check.status === 'passed').length;
  const open = openDecisions(state);
  const progress = state.progress === null ? '' : `, ${Math.round(state.progress)}%`;
  const why = state.error === null ? '' : `: ${shown(state.error, 200)}`;
  return [
    `${state.session_id}  ${state.status}${why}  after ${duration(ranMs(state, nowMs))}${progress}`,
    `skills ${done}/${total} done, ${failed} failed   agents ${state.agents.length + state.let_go.agents}   checks ${checks}/${state.validations.length} passed`,
    `files ${count(state.files.length + state.let_go.files)} changed   checkpoints ${state.checkpoints.length + state.let_go.checkpoints}`,
    open[0] === undefined ? 'no decision pending' : `! ${counted(open.length, 'decision')} pending: ${shown(open[0].question, 100)}`,
    `seen up to event ${count(state.seq)}   again: shannon-dash watch ${state.session_id}${urlArgument(url)}`,
  ];
}

/** The same for the overview of all sessions. */
export function overviewSummary(sessions: readonly SessionSummary[], url: string): string[] {
  const having = (...statuses: string[]) => sessions.filter(({ state }) => statuses.includes(state.status)).length;
  const decisions = sessions.reduce((sum, { state }) => sum + openDecisions(state).length, 0);
  return [
    counted(sessions.length, 'session'),
    `running ${having('running')}   halted ${having('halting', 'halted')}   waiting to start ${having('created')}`,
    `completed ${having('completed')}   failed ${having('failed')}   lost ${having('lost')}`,
    decisions === 0 ? 'no decision pending' : `! ${counted(decisions, 'decision')} pending`,
    `again: shannon-dash watch${urlArgument(url)}`,
  ];
}
