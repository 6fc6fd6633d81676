import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type UIEvent } from 'react';

/** Browsers draw no element that is much higher. With more rows than fit, a pixel of the scroll bar stands for more than one. */
const mostPixels = 12_000_000;
/** Rows that are drawn above and below those in sight. */
const spare = 8;

export interface VirtualRowsProps {
  label: string;
  count: number;
  rowPixels: number;
  /** Whether it stays at the last row as rows are added. */
  follows: boolean;
  onFollow: (follows: boolean) => void;
  /** A row, by its index from 0. */
  row: (index: number) => ReactNode;
  /** Called with the first and the last row in sight. */
  onSight?: (first: number, last: number) => void;
  /** Enter, or a click, on a row. */
  onOpen?: (index: number) => void;
  /** How many rows have come before the one that was first: what is in sight, and the selected one, stay. Default: none. */
  shift?: number;
  /** Goes there once: another object is another wish. */
  goTo?: { index: number } | undefined;
}

/** A list of any length, of which only the rows in sight are drawn. The arrow keys, j and k move through it, Enter opens a row. */
export function VirtualRows(props: VirtualRowsProps): ReactNode {
  const { label, count, rowPixels, follows, onFollow, row, onSight, onOpen, shift = 0, goTo } = props;
  const box = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(400);
  const [top, setTop] = useState(0);
  // By its place, which stays the same as rows come before it.
  const [place, setPlace] = useState<number>();
  const selected = place === undefined ? undefined : place + shift;
  const setSelected = (index: number): void => setPlace(index - shift);
  const shown = useRef(shift);
  const pixels = Math.min(mostPixels, count * rowPixels);
  const inSight = Math.ceil(height / rowPixels);
  const room = Math.max(1, pixels - height);
  const mostFirst = Math.max(0, count - Math.floor(height / rowPixels));
  const isScaled = count * rowPixels > mostPixels;
  const first = isScaled ? Math.round((Math.min(top, room) / room) * mostFirst) : Math.floor(top / rowPixels);
  const from = Math.max(0, Math.min(first, count) - spare);
  const to = Math.min(count, first + inSight + spare);
  const offset = isScaled ? top - (first - from) * rowPixels : from * rowPixels;

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (follows && box.current !== null) box.current.scrollTop = pixels;
  }, [follows, pixels, height]);
  useLayoutEffect(() => {
    if (!follows && box.current !== null) box.current.scrollTop += (shift - shown.current) * rowPixels;
    shown.current = shift;
  }, [shift, follows, rowPixels]);
  useEffect(() => onSight?.(first, Math.min(count, first + inSight)), [first, inSight, count, onSight]);

  const show = (index: number): void => {
    const element = box.current;
    if (element === null) return;
    if (isScaled) {
      if (index < first || index >= first + inSight - 1) element.scrollTop = (index / Math.max(1, mostFirst)) * room;
    } else if (index * rowPixels < element.scrollTop) element.scrollTop = index * rowPixels;
    else if ((index + 1) * rowPixels > element.scrollTop + height) element.scrollTop = (index + 1) * rowPixels - height;
  };
  useEffect(() => {
    if (goTo === undefined) return;
    setSelected(goTo.index);
    show(Math.max(0, goTo.index + Math.floor(inSight / 2)));
    show(goTo.index);
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [goTo]);

  const onScroll = ({ currentTarget }: UIEvent<HTMLDivElement>): void => {
    const isAtEnd = currentTarget.scrollTop + currentTarget.clientHeight >= currentTarget.scrollHeight - 2;
    setTop(currentTarget.scrollTop);
    if (follows && !isAtEnd && currentTarget.scrollTop < top) onFollow(false);
    if (!follows && isAtEnd && currentTarget.scrollTop > top) onFollow(true);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // A row that is chosen before there is any would be none of those that come.
    if (count === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Math.min(selected ?? count - 1, count - 1);
    const target = new Map([
      ['ArrowDown', at + 1],
      ['j', at + 1],
      ['ArrowUp', at - 1],
      ['k', at - 1],
      ['PageDown', at + inSight - 1],
      ['PageUp', at - inSight + 1],
      ['Home', 0],
      ['g', 0],
      ['End', count - 1],
      ['G', count - 1],
    ]).get(event.key);
    if (target === undefined && event.key !== 'Enter') return;
    event.preventDefault();
    event.stopPropagation();
    if (target === undefined) return selected === undefined ? undefined : onOpen?.(selected);
    const index = Math.max(0, Math.min(count - 1, target));
    setSelected(index);
    onFollow(index === count - 1);
    show(index);
  };

  const rows: ReactNode[] = [];
  for (let index = from; index < to; index++) {
    rows.push(
      <div
        key={index - shift}
        id={`${label}-${index - shift}`}
        role="option"
        aria-selected={index === selected}
        aria-posinset={index + 1}
        aria-setsize={count}
        className={index === selected ? 'row selected' : 'row'}
        onClick={() => {
          setSelected(index);
          onOpen?.(index);
        }}
      >
        {row(index)}
      </div>,
    );
  }
  return (
    <div
      ref={box}
      className="rows"
      role="listbox"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={selected !== undefined && selected >= from && selected < to ? `${label}-${place}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div style={{ height: pixels }}>
        <div style={{ transform: `translateY(${Math.max(0, offset)}px)` }}>{rows}</div>
      </div>
    </div>
  );
}
