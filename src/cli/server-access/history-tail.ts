import { limits } from '../../core/protocol/limits.ts';
import { request } from './server-request.ts';
import type { Settings } from '../settings/settings.ts';

/** How many events before the end are looked at first. */
const firstLook = 500;

/**
 * The place in a history after which the last `count` events that pass come. Looked for from the end, each time twice as far
 * back; the server leaves out the events that do not pass. So a long history is not fetched for its last lines.
 * @param options seq: the last event; globs: which types pass, none: all
 */
export async function historyTail(options: {
  settings: Settings;
  session: string;
  globs: readonly string[];
  seq: number;
  count: number;
}): Promise<number> {
  const { globs, seq, count } = options;
  if (globs.length === 0) return Math.max(0, seq - count);
  let found: number[] = [];
  let from = seq;
  for (let look = Math.max(firstLook, count); from > 0 && found.length < count; look *= 2) {
    const to = from;
    from = Math.max(0, to - look);
    found = [...(await placesBetween(from, to, options)), ...found];
  }
  return (found.at(-count) ?? found[0] ?? seq + 1) - 1;
}

/** The places of the events that pass, after `from` and up to `to`. */
async function placesBetween(
  from: number,
  to: number,
  { settings, session, globs }: { settings: Settings; session: string; globs: readonly string[] },
): Promise<number[]> {
  const places: number[] = [];
  for (let after = from; after < to;) {
    const limit = Math.min(limits.historyEvents, to - after);
    const { events, next } = await request(settings, 'history', { path: { id: session }, query: { after, limit, types: globs.join(',') } });
    places.push(...events.map((event) => event.seq).filter((place) => place <= to));
    if (next <= after) break;
    after = next;
  }
  return places;
}
