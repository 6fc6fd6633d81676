import type { ReactNode } from 'react';
import { isEnded, type SessionState } from '../../core/protocol/session-state.ts';
import { agentSentence, placeText } from '../../view/agents/agent-sentence.ts';
import { standingSpan } from '../../view/agents/standing.ts';
import { skillCounts } from '../../view/panels/skills-panel.ts';
import { ranMs, statusLine } from '../../view/status-line.ts';
import { clock, rate } from '../../view/text/numbers.ts';
import { shown } from '../../view/text/shown-text.ts';
import { usedOf, usedText } from '../../view/text/usage-text.ts';
import type { ViewModel } from '../../view/view-model.ts';
import { Sentences, toneClass } from '../parts/spans.tsx';

interface SessionHeadProps {
  model: ViewModel;
  state: SessionState;
  /** The tokens of the last minutes, as bars. */
  spark: string;
  /** What can be done with all of it. */
  children: ReactNode;
}

/** Which session, how it stands, what it is to do, what it has used, and how far it is. */
export function SessionHead({ model, state, spark, children }: SessionHeadProps): ReactNode {
  const { style, connection } = model;
  const standing = standingSpan(state, style);
  const used = usedText(usedOf(state));
  const sentences = [...agentSentence(model), ...statusLine({ ...model, state: { ...state, task: null } })];
  const { done, failed, total } = skillCounts(state);
  const part = state.progress === null ? (total === 0 ? null : done / total) : state.progress / 100;
  const percent = part === null ? undefined : Math.round(Math.max(0, Math.min(1, part)) * 100);
  const facts = [
    placeText(state),
    shown(state.model ?? '', 40),
    used,
    total === 0 ? '' : `${done}/${total} skills`,
    connection.status === 'live' && state === model.live && !isEnded(state.status) ? `${rate(model.eventsPerSecond)} ev/s` : '',
  ].filter((fact) => fact !== '');
  return (
    <header className="session-head">
      <div className="session-title">
        <span className={`status ${toneClass(standing.tone ?? 'plain')}`}>{standing.text}</span>
        <h1>{shown(state.session_id, 128)}</h1>
        <span className="clock">{clock(ranMs(state, style.nowMs))}</span>
        {connection.status === 'live' || state !== model.live ? null : <span className="tone-bad">stale</span>}
      </div>
      {state.task === null ? null : <p className="task">{shown(state.task)}</p>}
      <p className="facts">
        {facts.map((fact) => (
          <span key={fact}>
            {fact}
            {fact === used && spark !== '' ? (
              <span className="spark" title="tokens of the last four minutes" aria-hidden="true">{` ${spark}`}</span>
            ) : null}
          </span>
        ))}
        {failed === 0 ? null : <span className="tone-bad">{`${failed} failed`}</span>}
        {children}
      </p>
      {percent === undefined ? null : (
        <div className="progress" role="progressbar" aria-label="Progress" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
          <div className={state.status === 'failed' ? 'bar bad' : 'bar'} style={{ width: `${percent}%` }} />
          <span>{`${percent}%`}</span>
        </div>
      )}
      {sentences.length === 0 ? null : (
        <p className="sentences">
          <Sentences spans={sentences} />
        </p>
      )}
    </header>
  );
}
