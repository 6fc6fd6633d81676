import type { SessionEvent } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Tone } from '../cells.ts';
import type { DetailField } from '../panels/panel.ts';
import { shown } from '../text/shown-text.ts';

const maxLines = 2_000;
const maxChars = 2_000;
/** Fields of events whose texts are differences of files, as `diff` writes them. */
const diffFields = new Set(['diff', 'patch']);

/** All that an event says: its data as JSON over as many lines as it needs, a difference in its colours, a check's output. */
export function eventDetail({ type, data }: SessionEvent, state: SessionState | undefined): DetailField[] {
  // A difference may be long: what else there is stands before it.
  const fields = Object.entries(data)
    .slice(0, 100)
    .toSorted(([a], [b]) => Number(diffFields.has(a)) - Number(diffFields.has(b)));
  const output = type === 'validation:result' ? outputOf(state, data['check_name']) : [];
  return [...fields.flatMap(([name, value]) => fieldRows(name, value)), ...output].slice(0, maxLines);
}

function fieldRows(name: string, value: unknown): DetailField[] {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
  const lines = text.split('\n', maxLines);
  return lines.map((line, index): DetailField => {
    const label = index === 0 ? shown(name, 40) : '';
    return [label, shown(line.replaceAll('\t', '    '), maxChars), diffFields.has(name) ? diffTone(line) : 'plain'];
  });
}

function diffTone(line: string): Tone {
  if (/^(?:\+\+\+|---|@@)/.test(line)) return 'strong';
  if (line.startsWith('+')) return 'good';
  return line.startsWith('-') ? 'bad' : 'plain';
}

/** The last lines of a check, which its result does not bear. */
function outputOf(state: SessionState | undefined, name: unknown): DetailField[] {
  const check = state?.validations.find((each) => each.check_name === name);
  return (check?.lines ?? []).map(({ stream, line }, index): DetailField => [index === 0 ? stream : '', shown(line, maxChars)]);
}
