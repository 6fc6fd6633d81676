import { isLive } from '../../core/protocol/session-state.ts';
import { openDecisions } from '../../view/decision-prompt.ts';
import { takesRollbacks } from '../../view/status-line.ts';
import type { KeyNeed, KeySituation } from '../keys/key-table.ts';
import { windowOf } from '../rows/list-cursor.ts';
import { layoutKind } from './layout.ts';
import type { ScreenModel } from './screen-model.ts';

/** What keys can do on this screen. */
export function situationOf(model: ScreenModel): KeySituation {
  const { ui, state, isReadonly } = model;
  // Commands are for now, also while history is on screen.
  const subject = ui.sessionId === undefined ? selectedSession(model) : model.live;
  const has = new Set<KeyNeed>();
  if (subject !== undefined) has.add('session');
  if (ui.history !== undefined) has.add('history');
  if (subject !== undefined && isLive(subject.status)) {
    if (subject.status === 'halted') has.add('can-resume');
    else if (subject.status !== 'halting') has.add('can-halt');
    if (ui.sessionId !== undefined && ui.history === undefined && takesRollbacks(subject)) has.add('can-rollback');
  }
  if (openDecisions(state).length > 0 && ui.history === undefined) has.add('decision');
  if (
    (ui.hasOverview && ui.sessionId !== undefined) ||
    ui.overlay !== undefined ||
    ui.prompt !== undefined ||
    ui.isZoomed ||
    ui.filter !== ''
  )
    has.add('overview');
  if (ui.overlay?.kind === 'rollback' && ui.overlay.stage === 'ready') has.add('preview');
  if (ui.prompt !== undefined && ui.prompt.choice !== null) has.add('choice');
  return { context: contextOf(model), canOperate: !isReadonly && model.connection.status === 'live', has };
}

function contextOf({ columns, rows, ui }: ScreenModel): KeySituation['context'] {
  if (layoutKind(columns, rows) === 'tiny') return 'tiny';
  if (ui.filterInput !== undefined) return 'filter';
  if (ui.overlay !== undefined) return ui.overlay.kind;
  if (ui.prompt !== undefined) return 'decision';
  return ui.sessionId === undefined ? 'overview' : 'session';
}

function selectedSession({ sessions, ui }: ScreenModel): ScreenModel['state'] {
  const keys = sessions.map(({ state }) => state.session_id);
  return sessions[windowOf(keys, ui.cursors.overview, sessions.length).selected]?.state;
}
