import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { clock, duration } from '../../view/text/numbers.ts';
import { tickTimes, timelineOf, type Timeline, type TimelineBar } from '../../view/timeline.ts';
import { toneClass } from '../parts/spans.tsx';
import type { PageStore } from '../store/page-store.ts';

/** How near one can look, and the room that a time above the bars takes, in pixels. */
const [mostZoom, tickPixels] = [64, 96];
/** The part of the whole, at its end, where a short bar has its text before it. */
const lateShare = 0.15;

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
  const box = useRef<HTMLDivElement | null>(null);
  const centre = useRef(1);
  const [width, setWidth] = useState(0);
  const watchWidth = useCallback((element: HTMLDivElement) => {
    box.current = element;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
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
        <button type="button" aria-label="Look nearer" disabled={zoom >= mostZoom} onClick={() => look(2)}>
          +
        </button>
        <button type="button" aria-label="Look from further away" disabled={zoom <= 1} onClick={() => look(0.5)}>
          −
        </button>
        {zoom > 1 ? `${zoom} times` : null}
      </p>
      <div className="timeline" ref={watchWidth} tabIndex={0} role="group" aria-label="Timeline">
        <div className="timeline-whole" style={{ width: `${zoom * 100}%` }}>
          <Ticks timeline={timeline} most={Math.max(2, Math.floor((width * zoom) / tickPixels))} />
          {lanes.map(({ title, rows }) => (
            <section key={title} aria-label={title}>
              <h3>{title}</h3>
              {rows.map((row) => (
                <div key={row[0]?.key} className="timeline-row">
                  {row.map((bar, at) => (
                    <Bar
                      key={bar.key}
                      bar={bar}
                      timeline={timeline}
                      room={{ fromMs: row[at - 1]?.toMs ?? fromMs, toMs: Math.max(bar.toMs, textStart(row[at + 1], timeline)) }}
                      onOpen={() => void open(bar)}
                    />
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

interface BarProps {
  bar: TimelineBar;
  timeline: Timeline;
  /** Where the bars beside it in its row end and begin: its text may go so far. */
  room: { fromMs: number; toMs: number };
  onOpen: () => void;
}

/** The text of a bar begins in it and goes on beside it; that of a short one at the end of the whole stands before it. */
function Bar({ bar, timeline, room, onOpen }: BarProps): ReactNode {
  const { text, fromMs, toMs, isOpen, tone } = bar;
  const whole = timeline.toMs - timeline.fromMs;
  const lasted = toMs === fromMs ? '' : `, ${duration(toMs - fromMs)}${isOpen ? ' so far' : ''}`;
  const said = `${text}, at ${clock(fromMs - timeline.fromMs)}${lasted}`;
  const start = Math.max(room.fromMs, textStart(bar, timeline));
  const isBefore = start < fromMs;
  const end = isBefore ? toMs : room.toMs;
  const length = Math.max(1, end - start);
  return (
    <button
      type="button"
      className={`bar-of ${toneClass(tone)}${isOpen ? ' open' : ''}${isBefore ? ' before' : ''}`}
      title={said}
      aria-label={said}
      style={{ left: percent(start, timeline), width: `${(length / whole) * 100}%` }}
      onClick={onOpen}
    >
      <i style={{ width: `${((toMs - fromMs) / length) * 100}%` }} />
      <span>{text}</span>
    </button>
  );
}

/** Where the text of a bar begins; without a bar, where the whole ends. */
function textStart(bar: TimelineBar | undefined, { fromMs, toMs }: Timeline): number {
  const room = (toMs - fromMs) * lateShare;
  if (bar === undefined) return toMs;
  return toMs - bar.fromMs < room && bar.toMs - bar.fromMs < room ? bar.fromMs - room : bar.fromMs;
}

function Ticks({ timeline, most }: { timeline: Timeline; most: number }): ReactNode {
  const { fromMs, toMs } = timeline;
  return (
    <div className="timeline-ticks" aria-hidden="true">
      {tickTimes(toMs - fromMs, most).map((ms) => (
        <span key={ms} style={{ left: percent(fromMs + ms, timeline) }}>
          {clock(ms)}
        </span>
      ))}
    </div>
  );
}

function percent(ms: number, { fromMs, toMs }: Timeline): string {
  return `${Math.max(0, Math.min(1, (ms - fromMs) / (toMs - fromMs))) * 100}%`;
}
