import type { ReadBudget } from '../sessions/read-budget.ts';
import type { Metrics } from './metrics.ts';

/** How often the event loop is asked to be on time. */
const everyMs = 50;

/** Measures what concerns the process, whichever workspace it works for. @returns what stops it */
export function measureProcess(metrics: Metrics, budget: ReadBudget): () => void {
  metrics.gauge('shannon_dash_waiting_bytes', 'Bytes that wait to be read', () => budget.bytes);
  metrics.gauge('shannon_dash_resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss());
  metrics.count(
    'shannon_dash_event_loop_busy_seconds_total',
    'How long the event loop was at work',
    () => performance.eventLoopUtilization().active / 1_000,
  );
  return measureDelay(
    metrics.time('shannon_dash_event_loop_delay_seconds', 'By how much the event loop was late, asked 20 times a second'),
  );
}

/** What the event loop does while it is late keeps every client waiting for so long. */
function measureDelay(observe: (delayMs: number) => void): () => void {
  let dueAt = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    observe(Math.max(0, now - dueAt));
    dueAt = now + everyMs;
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
