import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { clock, duration } from '../../view/text/numbers.ts';
import { timelineOf, type Timeline, type TimelineBar } from '../../view/timeline.ts';
import { toneClass } from '../parts/spans.tsx';
import type { PageStore } from '../store/page-store.ts';

/** How near one can look, and how many times stand below the bars in the width of the page. */
const [mostZoom, ticks] = [64, 6];

interface TimelineViewProps {
  store: PageStore;
  live: SessionState;
  /** Of the moment of the past that is shown; undefined: now. */
  momentMs: number | undefined;
  nowMs: number;
  onOpen: (seq: number) => void;
}

/** A session over time: when what was at work, waited or stood still. A bar leads to the event that it begins with. */
export function TimelineView({ store, live, momentMs, nowMs, onOpen }: TimelineViewProps): ReactNode {
  const [zoom, setZoom] = useState(1);
  const timeline = timelineOf(live, nowMs);
  const { fromMs, toMs, lanes } = timeline;
  const box = useRef<HTMLDivElement>(null);
  const centre = useRef(1);
  // What was in the middle stays there as one comes nearer.
  useEffect(() => {
    const element = box.current;
    if (element !== null && zoom > 1) element.scrollLeft = centre.current * element.scrollWidth - element.clientWidth / 2;
  }, [zoom]);
  const look = (nearer: number): void => {
    const element = box.current;
    if (element !== null && zoom > 1) centre.current = (element.scrollLeft + element.clientWidth / 2) / element.scrollWidth;
    else centre.current = momentMs === undefined ? 1 : (momentMs - fromMs) / (toMs - fromMs);
    setZoom(Math.max(1, Math.min(mostZoom, zoom * nearer)));
  };
  const open = async ({ fromMs: from }: TimelineBar): Promise<void> => {
    try {
      const seq = await store.work?.firstSince(from);
      if (seq === undefined) store.say('The journal has no event of that time any more', 'warn');
      else onOpen(seq);
    } catch (error) {
      store.say(reasonOf(error), 'bad');
    }
  };
  if (lanes.length === 0)
    return <p className="log-note">Nothing yet that lasts: agents, skills, checks, decisions and halts stand here.</p>;
  return (
    <>
      <p className="log-note">
        {`${duration(toMs - fromMs)} in all`}
        <button type="button" className="quiet" aria-label="Look nearer" disabled={zoom >= mostZoom} onClick={() => look(2)}>
          +
        </button>
        <button type="button" className="quiet" aria-label="Look from further away" disabled={zoom <= 1} onClick={() => look(0.5)}>
          −
        </button>
        {zoom > 1 ? `${zoom} times` : null}
      </p>
      <div className="timeline" ref={box} tabIndex={0} role="group" aria-label="Timeline">
        <div className="timeline-whole" style={{ width: `${zoom * 100}%` }}>
          <Ticks timeline={timeline} count={ticks * zoom} />
          {lanes.map(({ title, rows }) => (
            <section key={title} aria-label={title}>
              <h3>{title}</h3>
              {rows.map((row) => (
                <div key={row[0]?.key} className="timeline-row">
                  {row.map((bar) => (
                    <Bar key={bar.key} bar={bar} timeline={timeline} onOpen={() => void open(bar)} />
                  ))}
                </div>
              ))}
            </section>
          ))}
          {momentMs === undefined ? null : <div className="timeline-moment" style={{ left: percent(momentMs, timeline) }} />}
        </div>
      </div>
    </>
  );
}

function Bar({ bar, timeline, onOpen }: { bar: TimelineBar; timeline: Timeline; onOpen: () => void }): ReactNode {
  const { text, fromMs, toMs, isOpen, tone } = bar;
  const lasted = toMs === fromMs ? '' : `, ${duration(toMs - fromMs)}${isOpen ? ' so far' : ''}`;
  const said = `${text}, at ${clock(fromMs - timeline.fromMs)}${lasted}`;
  return (
    <button
      type="button"
      className={`bar-of ${toneClass(tone)}${isOpen ? ' open' : ''}`}
      title={said}
      aria-label={said}
      style={{ left: percent(fromMs, timeline), width: `${((toMs - fromMs) / (timeline.toMs - timeline.fromMs)) * 100}%` }}
      onClick={onOpen}
    >
      <span>{text}</span>
    </button>
  );
}

function Ticks({ timeline, count }: { timeline: Timeline; count: number }): ReactNode {
  const { fromMs, toMs } = timeline;
  return (
    <div className="timeline-ticks" aria-hidden="true">
      {Array.from({ length: count }, (_, at) => {
        const ms = ((toMs - fromMs) * at) / count;
        return (
          <span key={at} style={{ left: percent(fromMs + ms, timeline) }}>
            {clock(ms)}
          </span>
        );
      })}
    </div>
  );
}

function percent(ms: number, { fromMs, toMs }: Timeline): string {
  return `${Math.max(0, Math.min(1, (ms - fromMs) / (toMs - fromMs))) * 100}%`;
}
