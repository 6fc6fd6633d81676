import { parseDurationMs } from '../core/text/parse-duration.ts';
import type { SessionState } from '../core/protocol/session-state.ts';

/** A place in a history: an event, or a time in milliseconds since 1970. */
export type Moment = { readonly seq: number } | { readonly ms: number };

/**
 * What a person means by a moment of a session: `12m` or `1h30m` of the run, `-5m` before now or before its last event, `14:05` or
 * `14:05:30` on the last day on which that was, `812` the event. Undefined when it is none of these.
 */
export function momentOf(text: string, state: SessionState): Moment | undefined {
  const lastMs = Date.parse(state.updated_at);
  if (/^#?\d{1,15}$/.test(text)) return { seq: Number(text.replace('#', '')) };
  const time = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (time !== null) {
    const [hours, minutes, seconds] = [Number(time[1]), Number(time[2]), Number(time[3] ?? 0)];
    if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
    const at = new Date(lastMs);
    at.setHours(hours, minutes, seconds, 0);
    if (at.getTime() > lastMs) at.setDate(at.getDate() - 1);
    return { ms: at.getTime() };
  }
  const isBack = text.startsWith('-');
  const length = parseDurationMs(isBack ? text.slice(1) : text);
  if (length === undefined) return undefined;
  return { ms: isBack ? lastMs - length : Date.parse(state.started_at ?? state.created_at) + length };
}
