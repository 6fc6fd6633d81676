import { receivedAt, type SessionEvent } from '../core/protocol/event.ts';

/**
 * The last event before a time, found by halving: the server's times rise with the events.
 * @param eventAfter gives the first event after a place; undefined where there is none
 * @param options seq: the last event of the session; ms: since 1970
 * @returns its `seq`; 0 where all are later
 */
export async function placeBefore(
  eventAfter: (seq: number) => Promise<SessionEvent | undefined>,
  { seq, ms }: { seq: number; ms: number },
): Promise<number> {
  let [low, high] = [0, seq];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const event = await eventAfter(middle - 1);
    if (event === undefined || Date.parse(receivedAt(event)) >= ms) high = middle - 1;
    else low = middle;
  }
  return low;
}
