import { useCallback, useState, type ReactNode } from 'react';
import { count, timeOfDay } from '../../view/text/numbers.ts';
import { shown } from '../../view/text/shown-text.ts';
import { toneClass } from '../parts/spans.tsx';
import { useIsNarrow } from '../parts/use-media.ts';
import { VirtualRows } from '../parts/virtual-rows.tsx';
import type { EventLine } from '../store/event-lines.ts';
import type { SessionWork } from '../store/session-work.ts';

/** On a phone a line has two rows, and is as high as a thumb is wide. */
const [rowPixels, narrowRowPixels] = [26, 44];

interface EventsViewProps {
  work: SessionWork;
  /** The newest event. */
  seq: number;
  /** The moment of the past that is shown: its events end there. */
  at: number | undefined;
  follows: boolean;
  onFollow: (follows: boolean) => void;
  onOpen: (seq: number) => void;
  goTo: { index: number } | undefined;
}

/** The events of a session: its whole history, or those that pass a filter. */
export function EventsView({ work, seq, at, follows, onFollow, onOpen, goTo }: EventsViewProps): ReactNode {
  const height = useIsNarrow() ? narrowRowPixels : rowPixels;
  // Where it stands still, what comes meanwhile is counted and not shown.
  const [frozen, setFrozen] = useState<number>();
  const wanted = follows || at !== undefined ? undefined : Math.min(frozen ?? seq, seq);
  if (wanted !== frozen) setFrozen(wanted);
  const total = at ?? wanted ?? seq;
  const { search, events } = work;
  const onSight = useCallback(
    (first: number, last: number) => {
      if (last > 0) events.want(first + 1, Math.min(last, total));
    },
    [events, total],
  );
  if (search !== undefined) {
    const { lines } = search;
    const where = search.from > 1 ? `back to event ${count(search.from)}` : 'to the first event';
    return (
      <>
        <p className="log-note" aria-live="polite">
          {`${count(lines.length)} found, looked ${where}`}
          {search.from > 1 ? (
            <button type="button" className="quiet" disabled={search.isReading} onClick={() => void search.earlier()}>
              {search.isReading ? 'Looking ...' : 'Look further back'}
            </button>
          ) : null}
        </p>
        <VirtualRows
          key={search.typed}
          label="Events"
          count={lines.length}
          shift={search.shift}
          rowPixels={height}
          follows={follows}
          onFollow={onFollow}
          row={(index) => lineParts(lines[index])}
          onOpen={(index) => {
            const found = lines[index];
            if (found !== undefined) onOpen(found.seq);
          }}
        />
      </>
    );
  }
  return (
    <>
      <VirtualRows
        label="Events"
        count={total}
        rowPixels={height}
        follows={follows}
        onFollow={onFollow}
        row={(index) => lineParts(events.line(index + 1))}
        onSight={onSight}
        onOpen={(index) => onOpen(index + 1)}
        goTo={goTo}
      />
      {wanted !== undefined && seq > total ? (
        <button type="button" className="newer" onClick={() => onFollow(true)}>
          {`${count(seq - total)} new ↓`}
        </button>
      ) : null}
    </>
  );
}

/** Undefined: it has not come yet. Null: the journal has it no more. */
function lineParts(line: EventLine | null | undefined): ReactNode {
  if (line === undefined) return <span className="muted">...</span>;
  if (line === null) return <span className="muted">not kept any more</span>;
  return (
    <>
      <span className="line-time">{timeOfDay(line.atMs)}</span>
      <span className="line-group">{shown(line.group, 20)}</span>
      <span className={`line-text ${toneClass(line.tone)}`}>{line.text}</span>
    </>
  );
}
