import type { SessionEvent } from '../../core/protocol/event.ts';
import { textField, type Data } from '../../core/fold/fold-values.ts';

/** Something that goes on over several events: a skill, an agent, the session, a file that is edited again and again. */
export interface GoingOn {
  /** Which one, of which session. */
  thing: string;
  /** Whether the event only tells how far it is: the next such event says all that this one did. */
  isProgress: boolean;
  /** How many events the line stands for, and the seq of the first of them. */
  count: number;
  first: number;
}

/** Maps, for names of types come from outside. */
const things: ReadonlyMap<string, (data: Data) => string | null> = new Map([
  ['skill', (data: Data) => textField(data, 'skill_id') ?? textField(data, 'skill_name')],
  ['agent', (data: Data) => textField(data, 'agent_id')],
  ['execution', () => ''],
  ['file', (data: Data) => textField(data, 'path')],
  ['usage', (data: Data) => `${textField(data, 'agent_id') ?? ''} ${textField(data, 'model') ?? ''}`],
]);

/** What has been used is summed elsewhere: one report after the other would push all else off the screen. */
const progressTypes: ReadonlySet<string> = new Set([
  'skill:progress',
  'agent:progress',
  'execution:progress',
  'file:modified',
  'usage:reported',
]);

/** What goes on, of an event that begins it, ends it or tells how far it is; undefined for all others. */
export function goingOn({ session_id, seq, type, data }: SessionEvent): GoingOn | undefined {
  const group = type.slice(0, type.indexOf(':'));
  const name = things.get(group)?.(data) ?? null;
  if (name === null) return undefined;
  // Another task is more than another figure.
  const isProgress = progressTypes.has(type) && (type !== 'execution:progress' || data['task'] === undefined);
  return { thing: `${session_id} ${group} ${name}`, isProgress, count: 1, first: seq };
}

/**
 * The lines with repeated progress of the same thing folded into its last one, up to where the thing begins or ends. Of lines that count
 * some of the same events, none is folded: nothing is counted twice.
 */
export function foldedLines<Line extends { seq: number; goesOn?: GoingOn | undefined }>(lines: readonly Line[]): readonly Line[] {
  const kept: Line[] = [];
  const places = new Map<string, number>();
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = lines[index];
    if (line === undefined) continue;
    const { goesOn } = line;
    if (goesOn !== undefined) {
      const place = goesOn.isProgress ? places.get(goesOn.thing) : undefined;
      const later = place === undefined ? undefined : kept[place];
      if (place !== undefined && later?.goesOn !== undefined && later.goesOn.first > line.seq) {
        kept[place] = { ...later, goesOn: { ...later.goesOn, first: goesOn.first, count: later.goesOn.count + goesOn.count } };
        continue;
      }
      if (goesOn.isProgress) places.set(goesOn.thing, kept.length);
      else places.delete(goesOn.thing);
    }
    kept.push(line);
  }
  return kept.length === lines.length ? lines : kept.toReversed();
}
