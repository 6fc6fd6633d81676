import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { safeLine } from '../../core/text/safe-text.ts';
import { eventPhrase } from '../../view/text/event-phrase.ts';
import { timeOfDay } from '../../view/text/numbers.ts';
import type { Output, Tone } from './output.ts';

/** An event as lines of the plain form: `12:04:31.420  skill   lint started`. Most have one; output of a program has its own. */
export function eventLines({ event, output, withSession }: { event: SessionEvent; output: Output; withSession: boolean }): string[] {
  const start = `${timeOfDay(Date.parse(receivedAt(event)))}  ${withSession ? `${safeLine(event.session_id, 128)}  ` : ''}`;
  const line = (group: string, text: string, tone: Tone) => `${start}${group.padEnd(7)} ${output.paint(tone, text)}`;
  const { stream, lines } = event.data;
  if (event.type === 'process:output' && Array.isArray(lines)) {
    return lines.map((each) => line(stream === 'stderr' ? 'err' : 'out', safeLine(String(each)), 'plain'));
  }
  const { group, text, tone } = eventPhrase(event);
  return [line(group, text, tone)];
}
