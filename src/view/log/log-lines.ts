import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { todaysSpelling } from '../../core/protocol/event-spellings.ts';
import { count } from '../text/numbers.ts';
import { eventPhrase } from '../text/event-phrase.ts';
import type { Tone } from '../cells.ts';
import { shown } from '../text/shown-text.ts';
import { goingOn, type GoingOn } from './going-on.ts';
import { Lengths } from './lengths.ts';

/** One line of the log. The event itself is not kept: it may be a megabyte. */
export interface LogLine {
  /** 1, 2, 3 ... as the lines came: names a line while others come and go. */
  number: number;
  session_id: string;
  seq: number;
  type: string;
  atMs: number;
  group: string;
  text: string;
  tone: Tone;
  /** What the event is about, where that goes on over several events. */
  goesOn?: GoingOn | undefined;
}

/** How many lines are kept, and how many events of one batch become lines before the rest is only counted. */
export const logLimits = { lines: 2_000, batchLines: 250, outputLines: 100 } as const;

/**
 * An event as a line; the output of a program as a line for each of its own.
 * @param number of the first; the others are fractions above it
 * @param lengths know how long that took which the event has ended
 */
export function logLines(event: SessionEvent, number: number, lengths = new Lengths(undefined)): LogLine[] {
  const { session_id, seq, type } = event;
  const line = { number, session_id, seq, type, atMs: Date.parse(receivedAt(event)) };
  const texts = outputLines(event);
  if (texts.length === 0) {
    const spelled = lengths.withDuration(todaysSpelling(event));
    return [{ ...line, ...eventPhrase(spelled), goesOn: goingOn(spelled) }];
  }
  const group = event.data['stream'] === 'stderr' ? 'stderr' : 'stdout';
  return texts.map((text, index) => ({ ...line, number: number + index / 1_000, group, text: shown(text), tone: 'plain' }));
}

function outputLines({ type, data }: SessionEvent): string[] {
  const lines = data['lines'];
  if (type !== 'process:output' || !Array.isArray(lines)) return [];
  const texts = lines.filter((line): line is string => typeof line === 'string' && line.trim() !== '');
  if (texts.length <= logLimits.outputLines) return texts;
  return [`... ${count(texts.length - logLimits.outputLines)} more lines in the journal`, ...texts.slice(-logLimits.outputLines)];
}
