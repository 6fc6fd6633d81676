import { useMemo, useState, type ReactNode, type RefObject } from 'react';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Style } from '../../view/style.ts';
import { count } from '../../view/text/numbers.ts';
import type { PageStore } from '../store/page-store.ts';
import type { SessionWork } from '../store/session-work.ts';
import { EventsView } from './events-view.tsx';
import { OutputView } from './output-view.tsx';
import { TimelineView } from './timeline-view.tsx';

/** The parts of the log, in their order. */
export const logTabs = ['events', 'output', 'timeline'] as const;

export type LogTab = (typeof logTabs)[number];

const names: Record<LogTab, string> = { events: 'Events', output: 'Output', timeline: 'Timeline' };

interface LogCardProps {
  store: PageStore;
  work: SessionWork;
  live: SessionState;
  style: Style;
  seq: number;
  at: number | undefined;
  tab: LogTab;
  onTab: (tab: LogTab) => void;
  follows: boolean;
  onFollow: (follows: boolean) => void;
  onOpen: (seq: number) => void;
  filter: RefObject<HTMLInputElement | null>;
}

/** What happened, event by event or over time; or what the program wrote. */
export function LogCard({ store, work, live, style, seq, at, tab, onTab, follows, onFollow, onOpen, filter }: LogCardProps): ReactNode {
  const [typed, setTyped] = useState('');
  // The time of a moment of the past is that of its last event; what goes on lasts until the real now.
  const momentMs = at === undefined ? undefined : style.nowMs;
  const nowMs = at === undefined ? style.nowMs : Math.max(style.nowMs, Date.parse(live.updated_at));
  // A moment of the past is shown with its last event in sight.
  const goTo = useMemo(() => (at === undefined ? undefined : { index: at - 1 }), [at]);
  return (
    <section className="card log" id="log" aria-label="Log" tabIndex={-1}>
      <div className="log-head">
        <div role="tablist" aria-label="Log">
          {logTabs.map((each) => (
            <button key={each} type="button" role="tab" aria-selected={tab === each} aria-controls="log-body" onClick={() => onTab(each)}>
              {each === 'events' ? `Events ${count(seq)}` : names[each]}
            </button>
          ))}
        </div>
        {tab === 'events' ? (
          <form
            role="search"
            onSubmit={(event) => {
              event.preventDefault();
              work.find(typed.trim());
            }}
          >
            <input
              ref={filter}
              type="search"
              placeholder="Filter: text, skill:*, !text"
              aria-label="Filter events: a part of a line, skill:* for types, ! for all but"
              maxLength={200}
              value={typed}
              onChange={(event) => {
                setTyped(event.target.value);
                if (event.target.value === '') work.find('');
              }}
              onKeyDown={(event) => {
                if (event.key !== 'Escape') return;
                event.stopPropagation();
                setTyped('');
                work.find('');
                event.currentTarget.blur();
              }}
            />
          </form>
        ) : null}
        {tab === 'timeline' ? null : (
          <button type="button" className="quiet" aria-pressed={!follows} aria-keyshortcuts="F" onClick={() => onFollow(!follows)}>
            {follows ? 'Pause' : 'Follow'}
          </button>
        )}
      </div>
      <div className="log-body" id="log-body" role="tabpanel" aria-label={names[tab]}>
        {tab === 'events' ? (
          <EventsView work={work} seq={seq} at={at} follows={follows} onFollow={onFollow} onOpen={onOpen} goTo={goTo} />
        ) : null}
        {tab === 'output' ? <OutputView work={work} follows={follows} onFollow={onFollow} onOpen={onOpen} /> : null}
        {tab === 'timeline' ? <TimelineView store={store} live={live} momentMs={momentMs} nowMs={nowMs} onOpen={onOpen} /> : null}
      </div>
    </section>
  );
}
