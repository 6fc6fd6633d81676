import type { ReactNode } from 'react';
import { sessionCells } from '../../view/overview.ts';
import { durationSince } from '../../view/text/numbers.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Style } from '../../view/style.ts';
import type { SessionSummary } from '../../view/view-model.ts';
import { Link } from '../parts/link.tsx';
import { toneClass } from '../parts/spans.tsx';
import type { PageStore } from '../store/page-store.ts';

/** A session in the overview: the same cells as a row of the terminal's. */
export function SessionRow({ store, summary, style }: { store: PageStore; summary: SessionSummary; style: Style }): ReactNode {
  const { state } = summary;
  const [, status, name, done, task, now, tokens, cost, , , time] = sessionCells(summary, style);
  const place = shown([state.folder, state.branch].filter((each) => each !== null).join('@'), 60);
  return (
    <li>
      <Link store={store} to={{ session: state.session_id, at: undefined }} className="session-row" session={state.session_id}>
        <span className={`status ${toneClass(status?.tone ?? 'plain')}`}>{status?.text}</span>
        <span className="session-name">
          {name?.text}
          {place === '' ? null : <span className="place">{place}</span>}
        </span>
        <span className="session-what">
          {task?.text === '' ? null : <span className="session-task">{task?.text}</span>}
          {now === undefined || now.text === '' || now.text === task?.text ? null : (
            <span className={`session-now ${toneClass(now.tone ?? 'plain')}`}>{now.text}</span>
          )}
        </span>
        <span className="session-facts">
          <span>{done?.text}</span>
          <span>{tokens?.text === '' ? '' : `${tokens?.text} tokens`}</span>
          <span>{cost?.text}</span>
          <span>{`ran ${time?.text}`}</span>
          <span>{`${durationSince(state.updated_at, style.nowMs)} ago`}</span>
        </span>
      </Link>
    </li>
  );
}
