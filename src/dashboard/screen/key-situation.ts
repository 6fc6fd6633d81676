import { isLive } from '../../core/protocol/session-state.ts';
import { openDecisions } from '../../view/decision-prompt.ts';
import { takesRollbacks } from '../../view/status-line.ts';
import { takesStops } from '../../view/stop-question.ts';
import type { KeyNeed, KeySituation } from '../keys/key-binding.ts';
import { windowOf } from '../rows/list-cursor.ts';
import { layoutKind } from './layout.ts';
import { sessionsOnScreen } from './overview-body.ts';
import type { ScreenModel } from './screen-model.ts';

/** What keys can do on this screen. */
export function situationOf(model: ScreenModel): KeySituation {
  const { ui, state, isReadonly } = model;
  const subject = ui.sessionId === undefined ? selectedSession(model) : model.live;
  const has = new Set<KeyNeed>();
  if (subject !== undefined) has.add('session');
  if (ui.sessionId === undefined && ui.marks.size > 0) {
    has.add('can-halt');
    has.add('can-resume');
  }
  if (ui.history !== undefined) has.add('history');
  if (ui.filter !== '') has.add('filter');
  // Commands act on now: in the past none is offered, and none is taken.
  if (subject !== undefined && isLive(subject.status) && ui.history === undefined) {
    if (subject.status === 'halted' || subject.status === 'halting') has.add('can-resume');
    else has.add('can-halt');
    if (takesStops(subject)) has.add('can-stop');
    if (ui.sessionId !== undefined && takesRollbacks(subject)) has.add('can-rollback');
  }
  if (openDecisions(state).length > 0 && ui.history === undefined) has.add('decision');
  if (
    (ui.hasOverview && ui.sessionId !== undefined) ||
    ui.overlay !== undefined ||
    ui.prompt !== undefined ||
    ui.isZoomed ||
    (ui.sessionId === undefined ? ui.sessionFilter !== '' || ui.marks.size > 0 : ui.filter !== '')
  )
    has.add('overview');
  if ((ui.overlay?.kind === 'rollback' || ui.overlay?.kind === 'stop') && ui.overlay.stage === 'ready') has.add('preview');
  if (ui.prompt !== undefined && ui.prompt.choice !== null) has.add('choice');
  return { context: contextOf(model), canOperate: !isReadonly && model.connection.status === 'live', has };
}

function contextOf({ columns, rows, ui }: ScreenModel): KeySituation['context'] {
  if (layoutKind(columns, rows) === 'tiny') return 'tiny';
  if (ui.filterInput !== undefined || ui.commandInput !== undefined || ui.prompt?.commentInput !== undefined) return 'typing';
  if (ui.overlay !== undefined) return ui.overlay.kind;
  if (ui.prompt !== undefined) return 'decision';
  return ui.sessionId === undefined ? 'overview' : 'session';
}

function selectedSession(model: ScreenModel): ScreenModel['state'] {
  const { ui } = model;
  const sessions = sessionsOnScreen(model);
  const keys = sessions.map(({ state }) => state.session_id);
  return sessions[windowOf(keys, ui.cursors.overview, sessions.length).selected]?.state;
}
