import type { Cell } from './cells.ts';
import type { LogLine } from './log-buffer.ts';
import type { Style } from './style.ts';
import { clock, timeOfDay } from './text/numbers.ts';

/** A line of the log: when, in which session, its group, and what happened. */
export function logCells(
  line: LogLine,
  { startedAtMs, withSession }: { startedAtMs: number; withSession: boolean },
  { timestamps }: Style,
): Cell[] {
  const time: Cell[] = [];
  if (timestamps === 'clock') time.push({ text: timeOfDay(line.atMs), width: 12, optional: { below: 60 } });
  if (timestamps === 'elapsed') time.push({ text: `+${clock(line.atMs - startedAtMs)}`, width: 9, optional: { below: 60 } });
  const session: Cell[] = withSession ? [{ text: line.session_id, width: { oneOf: 5, least: 0, most: 18 }, optional: true }] : [];
  return [...time, ...session, { text: line.group, width: 8, optional: { below: 50 } }, { text: line.text, tone: line.tone }];
}
