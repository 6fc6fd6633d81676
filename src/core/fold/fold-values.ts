import { cutText } from '../text/cut-text.ts';
import { foldLimits } from '../protocol/limits.ts';
import type { LetGo, SessionState } from '../protocol/session-state.ts';

/** The `data` of an event, of which nothing is taken for granted. */
export type Data = Readonly<Record<string, unknown>>;

/** A text, at most so many characters of it. */
export function clipped(text: string, chars: number = foldLimits.textChars): string {
  return text.length <= chars ? text : `${cutText(text, chars - 1)}…`;
}

/** The field if it is a text that is not empty, clipped; else null. */
export function textField(data: Data, field: string): string | null {
  const value = data[field];
  return typeof value === 'string' && value !== '' ? clipped(value) : null;
}

/** The field if it is a finite number; else null. */
export function numberOf(data: Data, field: string): number | null {
  const value = data[field];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The field if it is a number from 0 to 100; else null. */
export function percentOf(data: Data, field: string): number | null {
  const value = numberOf(data, field);
  return value !== null && value >= 0 && value <= 100 ? value : null;
}

/** The field if it is a plain object; else an empty one. */
export function objectOf(data: Data, field: string): Record<string, unknown> {
  const value = data[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Any JSON value, or its first characters as a text where it is too large to keep. */
export function valueOf(data: Data, field: string): unknown {
  return smallValue(data[field]);
}

/** The value itself if its JSON has at most `maxChars`, else the start of that JSON; null for nothing. */
export function smallValue(value: unknown, maxChars: number = foldLimits.valueChars): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  const json = jsonOf(value);
  if (json === undefined) return tooDeep;
  return json.length <= maxChars ? value : clipped(typeof value === 'string' ? value : json, foldLimits.valueChars);
}

const tooDeep = '(nested too deep to be kept)';

/** Undefined for what has no JSON, or is nested so deep that writing it ends the stack. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** A sum that JSON can say: it stays within the finite numbers. */
export function sum(a: number, b: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, a + b));
}

/** An error as a text: a text as it is, `{message}` by its message, anything else as JSON. */
export function errorTextOf(data: Data, field: string): string | null {
  const value = data[field];
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return clipped(value);
  if (typeof value === 'object' && 'message' in value && typeof value.message === 'string') return clipped(value.message);
  return clipped(jsonOf(value) ?? tooDeep);
}

/** Milliseconds between two timestamps, or what `duration` says in seconds. */
export function lengthMs(data: Data, startedAt: string | null, endedAt: string): number | null {
  const duration = numberOf(data, 'duration');
  if (duration !== null && Number.isFinite(duration * 1_000)) return Math.round(duration * 1_000);
  if (duration !== null) return null;
  const between = startedAt === null ? Number.NaN : Date.parse(endedAt) - Date.parse(startedAt);
  return Number.isFinite(between) ? Math.max(0, between) : null;
}

/**
 * A list of the state with the item at `at` replaced, or a new one appended where that is -1. Beyond the list's limit the
 * oldest item that may go (`isOver`) is let go and counted; if none may, the oldest.
 */
export function withItem<List extends keyof LetGo>(
  state: SessionState,
  list: List,
  at: number,
  item: SessionState[List][number],
  isOver: (item: SessionState[List][number]) => boolean,
): Pick<SessionState, List> & Partial<Pick<SessionState, 'let_go'>> {
  type Item = SessionState[List][number];
  const items = (state[list] as Item[]).slice();
  if (at !== -1) {
    items[at] = item;
    return { [list]: items } as Pick<SessionState, List>;
  }
  if (items.length < foldLimits[list]) {
    items.push(item);
    return { [list]: items } as Pick<SessionState, List>;
  }
  items.splice(Math.max(0, items.findIndex(isOver)), 1);
  items.push(item);
  return { [list]: items, let_go: { ...state.let_go, [list]: state.let_go[list] + 1 } } as unknown as Pick<SessionState, List>;
}
