import { expect, test } from 'vitest';
import { EventQueue } from '../../src/client/watcher/event-queue.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';

const event = (seq: number, chars: number): SessionEvent => ({
  session_id: 's',
  seq,
  id: `e:${seq}`,
  type: 'test:step',
  timestamp: '2026-01-01T00:00:00.000Z',
  data: { parts: [{ text: 'x'.repeat(chars) }] },
});

/** How many events of this size it takes. */
function taken(queue: EventQueue, chars: number): number {
  for (let seq = 1; ; seq++) if (!queue.push(event(seq, chars))) return seq - 1;
}

test('is bounded by number and by size, less before somebody takes', () => {
  expect(taken(new EventQueue(() => undefined), 10)).toBe(1_000);
  expect(taken(new EventQueue(() => undefined), 1_000_000)).toBe(5);
  const small = new EventQueue(() => undefined);
  small.take();
  expect(taken(small, 10)).toBe(10_000);
  const large = new EventQueue(() => undefined);
  large.take();
  expect(taken(large, 1_000_000)).toBe(34);
});

test('has room again once half of the size was taken', async () => {
  let rooms = 0;
  const queue = new EventQueue(() => rooms++);
  queue.take();
  const count = taken(queue, 1_000_000);
  for (let n = 0; n < count / 2 - 1; n++) await queue.next();
  expect(rooms).toBe(0);
  await queue.next();
  await queue.next();
  expect(rooms).toBe(1);
  expect(queue.push(event(count + 1, 1_000_000))).toBe(true);
});
