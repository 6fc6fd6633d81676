import { useState, type ReactNode } from 'react';
import type { Cell } from '../../view/cells.ts';
import type { EventsOf, PanelItem, PanelList } from '../../view/panels/panel.ts';
import { count } from '../../view/text/numbers.ts';
import type { Style } from '../../view/style.ts';
import { toneClass } from '../parts/spans.tsx';

/** How many items a panel shows until it is asked for all, and how many it shows then. */
const [fewItems, mostItems] = [7, 500];

/** A cell that the terminal leaves out of rows narrower than this, in characters, is left out of narrow panels. */
const wideChars = 60;

/** Opens the last event of an item in full, as with the difference in a file. */
type OpenLast = (last: EventsOf) => Promise<void>;

/** A part of a session: its items, the most pressing first. One opens in full at a click. */
export function Panel({ id, list, style, onLast }: { id: string; list: PanelList; style: Style; onLast: OpenLast }): ReactNode {
  const [showsAll, setShowsAll] = useState(false);
  const items = list.items.slice(0, showsAll ? mostItems : fewItems);
  const more = list.items.length - items.length;
  return (
    <section className="card panel" id={id} aria-label={list.title} tabIndex={-1}>
      <h2>{list.title}</h2>
      <ul style={{ gridTemplateColumns: columnsOf(items[0]?.cells(style) ?? []) }}>
        {items.map((item) => (
          <Item key={item.key} item={item} style={style} onLast={onLast} />
        ))}
      </ul>
      {more > 0 || showsAll ? (
        <button type="button" className="quiet more" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? 'Show fewer' : `Show ${count(more)} more`}
        </button>
      ) : null}
      {list.letGo > 0 ? <p className="muted small">{count(list.letGo)} older ones are in the journal only</p> : null}
    </section>
  );
}

function Item({ item, style, onLast }: { item: PanelItem; style: Style; onLast: OpenLast }): ReactNode {
  const { lastEvent } = item;
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li>
      <button type="button" className="item" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        {item.cells(style).map((cell, at) => (
          // The columns of a row keep their places.
          // oxlint-disable-next-line react/no-array-index-key
          <span key={at} className={cellClass(cell)} style={{ gridColumn: at + 1 }}>
            {cell.cut === 'start' ? <bdi>{cell.text}</bdi> : cell.text}
          </span>
        ))}
      </button>
      {isOpen && lastEvent !== undefined ? (
        <p className="detail-more">
          <button type="button" onClick={() => void onLast(lastEvent)}>
            {lastEvent.types.startsWith('file:') ? 'What changed last' : 'Its last event in full'}
          </button>
        </p>
      ) : null}
      {isOpen ? (
        <dl className="detail">
          {item
            .detail(style)
            .filter(([, value]) => value !== '')
            .map(([label, value, tone = 'plain'], at) => (
              // oxlint-disable-next-line react/no-array-index-key
              <div key={at}>
                <dt>{label}</dt>
                <dd className={toneClass(tone)}>{value}</dd>
              </div>
            ))}
        </dl>
      ) : null}
    </li>
  );
}

/** The columns of a list: all of its rows have the same. What has a width of its own is as wide as its widest text. */
function columnsOf(cells: readonly Cell[]): string {
  return cells
    .map(({ width }) =>
      width === undefined ? 'minmax(min(8em, 30%), 1fr)' : typeof width === 'number' ? 'minmax(0, max-content)' : 'fit-content(27%)',
    )
    .join(' ');
}

function cellClass({ tone = 'plain', align, optional, cut }: Cell): string {
  return [
    'cell',
    toneClass(tone),
    align === 'right' && 'right',
    optional !== undefined && 'optional',
    typeof optional === 'object' && optional.below >= wideChars && 'wide-only',
    cut === 'start' && 'end-first',
  ]
    .filter(Boolean)
    .join(' ');
}
