import type { ReactNode } from 'react';
import { isEnded, type SessionState } from '../../core/protocol/session-state.ts';
import { takesRollbacks } from '../../view/status-line.ts';
import { takesStops } from '../../view/stop-question.ts';
import type { PageStore } from '../store/page-store.ts';
import type { SessionAction } from './session-actions.ts';

/** What can be done to a session now. On a phone it lies at the thumb. */
export function CommandBar({
  store,
  state,
  act,
}: {
  store: PageStore;
  state: SessionState;
  act: (action: SessionAction) => void;
}): ReactNode {
  const isOver = isEnded(state.status);
  const isHalting = state.status === 'halting' || store.isHalting(state.session_id);
  if (isOver || store.work?.scrubber.view !== undefined || !store.maySend('HALT')) return null;
  const canResume = state.status === 'halted' || state.status === 'halting';
  const { orchestrator, delegate } = state;
  const takes = (type: 'REDIRECT' | 'INJECT'): boolean =>
    store.maySend(type) &&
    orchestrator?.attached === true &&
    (orchestrator.capabilities.includes(type) || delegate?.capabilities.includes(type) === true);
  return (
    <div className="command-bar" role="toolbar" aria-label="Commands">
      {state.status === 'halted' ? null : (
        <button type="button" className="halt" aria-keyshortcuts="Shift+H" aria-busy={isHalting} onClick={() => act('halt')}>
          {isHalting ? 'HALT is on its way ...' : 'HALT'}
        </button>
      )}
      {canResume ? (
        <button type="button" className="primary" aria-keyshortcuts="Shift+R" onClick={() => act('resume')}>
          {isHalting ? 'Take HALT back' : 'RESUME'}
        </button>
      ) : null}
      {store.maySend('ROLLBACK') && takesRollbacks(state) ? (
        <button type="button" aria-keyshortcuts="Shift+B" onClick={() => act('rollback')}>
          Roll back
        </button>
      ) : null}
      {takes('REDIRECT') ? (
        <button type="button" onClick={() => act('redirect')}>
          Redirect
        </button>
      ) : null}
      {takes('INJECT') ? (
        <button type="button" onClick={() => act('inject')}>
          Inject
        </button>
      ) : null}
      {takesStops(state) ? (
        <button type="button" className="danger" aria-keyshortcuts="Shift+X" onClick={() => act('stop')}>
          Stop
        </button>
      ) : null}
    </div>
  );
}
