import { placesPerSession } from '../database/chunks.ts';

/** Events that follow each other. */
export interface EventSpan {
  from: number;
  through: number;
}

/** The chunks of a journal, by session and in order. */
export interface ChunkSpans {
  /** In all. */
  events: number;
  /** The sessions that have any. */
  keys: () => number[];
  /** The last event of a session that is there. */
  last: (key: number) => number;
  /** What is missing of the events of a session, behind what retention has taken through the last one that it is known to have. */
  gaps: (key: number, cut: number, through: number) => EventSpan[];
}

/** @param chunks how many events each chunk has, by its place */
export function chunksInOrder(chunks: ReadonlyMap<number, number>): ChunkSpans {
  const bySession = new Map<number, EventSpan[]>();
  let events = 0;
  for (const place of Float64Array.from(chunks.keys()).toSorted()) {
    const count = chunks.get(place) ?? 0;
    const key = Math.floor(place / placesPerSession);
    const spans = bySession.get(key) ?? [];
    if (spans.length === 0) bySession.set(key, spans);
    const from = place % placesPerSession;
    spans.push({ from, through: from + count - 1 });
    events += count;
  }
  return {
    events,
    keys: () => [...bySession.keys()],
    last: (key) => bySession.get(key)?.at(-1)?.through ?? 0,
    gaps(key, cut, through) {
      const gaps: EventSpan[] = [];
      let next = cut + 1;
      for (const span of bySession.get(key) ?? []) {
        if (span.from > next) gaps.push({ from: next, through: span.from - 1 });
        next = Math.max(next, span.through + 1);
      }
      if (next <= through) gaps.push({ from: next, through });
      return gaps;
    },
  };
}
