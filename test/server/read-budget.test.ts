import type { Socket } from 'node:net';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { limits } from '../../src/core/protocol/limits.ts';
import type { KernelSocket } from '../../src/server/kernel-sockets.ts';
import { ReadBudget, type BudgetReader } from '../../src/server/sessions/read-budget.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
});

/** A reader for which the kernel always takes more; `acknowledged` says how much of it the other end has taken by then. */
function followed(acknowledged: () => number): { cut: () => boolean } {
  const kernel = {
    near: (): Promise<KernelSocket> => Promise.resolve({ uid: 0, isHeld: true, unacknowledgedBytes: progress() - acknowledged() }),
  };
  const progress = () => Math.round(performance.now() - startedAt) * 1_000;
  const startedAt = performance.now();
  const budget = new ReadBudget(kernel);
  onTestFinished(() => budget.close());
  let isCut = false;
  const reader: BudgetReader = {
    waitingBytes: 1,
    wantsMore: true,
    isAway: false,
    progress,
    connection: () => ({}) as Socket,
    cut: () => void (isCut = true),
  };
  budget.follow(reader);
  return { cut: () => isCut };
}

test('a reader that acknowledges nothing more is cut in its time, although the kernel still takes data for it', async () => {
  const { cut } = followed(() => 500);
  await vi.advanceTimersByTimeAsync(limits.unreadMs);
  expect(cut()).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(cut()).toBe(true);
});

test('a reader that acknowledges a little from time to time is not cut', async () => {
  const startedAt = performance.now();
  const { cut } = followed(() => Math.floor((performance.now() - startedAt) / (limits.unreadMs - 1_500)));
  await vi.advanceTimersByTimeAsync(10 * limits.unreadMs);
  expect(cut()).toBe(false);
});
