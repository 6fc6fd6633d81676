import type { Cell, GroupTone } from '../cells.ts';
import type { LogLine } from './log-lines.ts';
import type { Style } from '../style.ts';
import { clock, shortCount, timeOfDay } from '../text/numbers.ts';

/** A map, for groups of types come from outside. */
const groupTones: ReadonlyMap<string, GroupTone> = new Map([
  ['skill', 'work'],
  ['tool', 'work'],
  ['agent', 'people'],
  ['message', 'people'],
  ['usage', 'people'],
  ['file', 'files'],
  ['save', 'files'],
  ['check', 'checks'],
  ['run', 'control'],
  ['command', 'control'],
  ['decision', 'control'],
  ['link', 'control'],
]);

/** A line of the log: when, in which session, its group, what happened, and how many such events it stands for. */
export function logCells(
  line: LogLine,
  { startedAtMs, withSession }: { startedAtMs: number; withSession: boolean },
  { timestamps, glyphs }: Style,
): Cell[] {
  const time: Cell[] = [];
  if (timestamps === 'clock') time.push({ text: timeOfDay(line.atMs), width: 12, optional: { below: 60 } });
  if (timestamps === 'elapsed') time.push({ text: `+${clock(line.atMs - startedAtMs)}`, width: 9, optional: { below: 60 } });
  const session: Cell[] = withSession ? [{ text: line.session_id, width: { oneOf: 5, least: 0, most: 18 }, optional: true }] : [];
  const events = line.goesOn?.count ?? 1;
  const count: Cell[] = events === 1 ? [] : [{ text: `${glyphs.times}${shortCount(events)}`, width: 6, align: 'right', optional: true }];
  return [
    ...time,
    ...session,
    { text: line.group, width: 8, tone: groupTones.get(line.group), optional: { below: 50 } },
    { text: line.text, tone: line.tone },
    ...count,
  ];
}
