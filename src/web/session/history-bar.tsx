import type { ReactNode } from 'react';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { count, timeOfDay } from '../../view/text/numbers.ts';
import type { PageStore } from '../store/page-store.ts';

/** Where in the history of a session the page stands, and the way through it. */
export function HistoryBar({ store, live }: { store: PageStore; live: SessionState }): ReactNode {
  const { at, session } = store.route;
  const view = store.work?.scrubber.view;
  const go = (seq: number | undefined): void => store.go({ session, at: seq }, true);
  const step = (by: number): void => go(Math.max(1, Math.min(live.seq, (at ?? live.seq) + by)));
  return (
    <div className={at === undefined ? 'history-bar' : 'history-bar past'}>
      <button type="button" className="quiet" aria-label="One event back" aria-keyshortcuts="[" onClick={() => step(-1)}>
        ‹
      </button>
      <input
        type="range"
        min={1}
        max={Math.max(1, live.seq)}
        value={at ?? live.seq}
        aria-label="Moment of the history"
        aria-valuetext={at === undefined ? 'now' : `event ${at} of ${live.seq}`}
        onChange={(event) => {
          const seq = Number(event.target.value);
          go(seq >= live.seq ? undefined : seq);
        }}
      />
      <button type="button" className="quiet" aria-label="One event forward" aria-keyshortcuts="]" onClick={() => step(1)}>
        ›
      </button>
      {at === undefined ? (
        <span className="muted">{`event ${count(live.seq)}`}</span>
      ) : (
        <>
          <span className="tone-warn" aria-live="polite">
            {`HISTORY ${count(at)}/${count(live.seq)}${view?.state === undefined ? ' ...' : ` at ${timeOfDay(Date.parse(view.state.updated_at)).slice(0, 8)}`}`}
          </span>
          <button type="button" className="primary" aria-keyshortcuts="L" onClick={() => go(undefined)}>
            Back to live
          </button>
        </>
      )}
    </div>
  );
}
