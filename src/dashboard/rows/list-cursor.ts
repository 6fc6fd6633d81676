/**
 * The selected item of a list and the screen row it stands on. Bound to the item, not its index: what comes and goes
 * around it moves neither the selection nor, as long as there is room, the row.
 */
export interface ListCursor {
  key: string | null;
  row: number;
}

/** The part of a list that is on screen. */
export interface ListWindow {
  top: number;
  /** Index of the selected item; -1 in an empty list. */
  selected: number;
}

export const atTop: ListCursor = { key: null, row: 0 };

/** Which items show in `height` rows. */
export function windowOf(keys: readonly string[], cursor: ListCursor, height: number): ListWindow {
  if (keys.length === 0) return { top: 0, selected: -1 };
  const found = cursor.key === null ? 0 : keys.indexOf(cursor.key);
  const selected = Math.max(0, found);
  const lastTop = Math.max(0, keys.length - height);
  return { top: Math.max(0, Math.min(lastTop, selected - Math.min(cursor.row, height - 1))), selected };
}

/** The cursor `by` items further, kept within the list and the screen. */
export function moved(keys: readonly string[], cursor: ListCursor, height: number, by: number): ListCursor {
  const { top, selected } = windowOf(keys, cursor, height);
  if (selected === -1) return atTop;
  const next = Math.max(0, Math.min(keys.length - 1, selected + by));
  return { key: keys[next] ?? null, row: Math.max(0, Math.min(height - 1, next - top)) };
}

/** The cursor after the list has been scrolled by so many rows: on the same item as long as that is on screen. */
export function scrolled(keys: readonly string[], cursor: ListCursor, height: number, by: number): ListCursor {
  const { top, selected } = windowOf(keys, cursor, height);
  if (selected === -1) return atTop;
  const to = Math.max(0, Math.min(keys.length - height, top + by));
  const next = Math.max(to, Math.min(to + height - 1, selected, keys.length - 1));
  return { key: keys[next] ?? null, row: next - to };
}
