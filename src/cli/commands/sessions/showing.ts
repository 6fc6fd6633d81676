import type { SessionState } from '../../../core/protocol/session-state.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { sessionReport, type ReportLine } from '../../../view/session-report.ts';
import { count } from '../../../view/text/numbers.ts';
import { unicodeGlyphs } from '../../../view/text/glyphs.ts';
import type { Invocation } from '../../invocation.ts';
import { lastOutput, timeIntoRun } from '../../server-access/program-output.ts';
import { request } from '../../server-access/server-request.ts';
import type { Output, Tone } from '../../terminal/output.ts';
import type { SessionsOptions } from './definition.ts';

const labelWidth = 9;
/** How much of its output a failed session shows. */
const lastLines = 20;
/** How much of it in any case. */
const leastLines = 6;
/** How many items of each kind the report names, the most first. */
const reportSizes = [8, 3, 1] as const;
/** The name, what to type next, and the prompt of the shell. */
const rowsBeside = 5;
/** As wide as `59m59s`. */
const intoRunWidth = 6;

/** Tells all that matters of one session. */
export async function showSession(id: string, { settings, output }: Invocation<SessionsOptions>): Promise<void> {
  const state = await request(settings, 'session', { path: { id } });
  if (output.isJson) {
    output.document({ session: state });
    return;
  }
  const style = { glyphs: unicodeGlyphs, nowMs: Date.now(), timestamps: 'clock' as const };
  output.line(output.paint('strong', safeLine(id, 128)));
  const isFailure = state.status === 'failed' || state.status === 'lost';
  const { lines, left } = fitting((items) => sessionReport(state, style, { items, checkLines: Math.min(5, items) }), {
    window: output.window,
    most: isFailure ? lastLines : 0,
  });
  for (const { label, spans } of lines) {
    const text = spans.map(({ text: each, tone }) => output.paint(toneOf(tone), each)).join('');
    output.line(`  ${label.padEnd(labelWidth)} ${text}`.trimEnd());
  }
  if (state.first_available !== undefined) {
    output.line(`  ${'history'.padEnd(labelWidth)} from event ${count(state.first_available)} on: retention has taken what came before`);
  }
  const hasOutput = left > 0 && (await showEndOfOutput(state, left, { id, settings, output }));
  if (hasOutput) output.note(`when: shannon-dash logs ${id} -t --grep 'fail|FAIL|Error|✖'`);
  output.note(`more: shannon-dash logs ${id}   shannon-dash watch ${id}`);
}

/**
 * The longest report that stands on the screen together with the end of the output, and how many lines of that there is room for;
 * off a terminal all of both.
 */
function fitting(
  reportOf: (items: number) => ReportLine[],
  { window, most }: { window: Output['window']; most: number },
): { lines: ReportLine[]; left: number } {
  let fit = { lines: reportOf(reportSizes[0]), left: most };
  if (window === undefined) return fit;
  const rowsOf = ({ spans }: ReportLine) => Math.ceil(spans.reduce((sum, { text }) => sum + text.length, labelWidth + 3) / window.columns);
  for (const items of reportSizes) {
    const lines = reportOf(items);
    const left = window.rows - rowsBeside - lines.reduce((sum, line) => sum + rowsOf(line), 0);
    fit = { lines, left: Math.min(most, Math.max(leastLines, left)) };
    if (left >= Math.min(most, leastLines)) break;
  }
  return fit;
}

/** The last lines, with the time into the run where it changes. @returns whether there are any */
async function showEndOfOutput(
  state: SessionState,
  most: number,
  { id, settings, output }: { id: string } & Pick<Invocation<object>, 'settings'> & { output: Output },
): Promise<boolean> {
  const lines = await lastOutput(settings, { session: id, seq: state.seq, count: most });
  let toldTime = '';
  for (const [at, line] of lines.entries()) {
    const time = timeIntoRun(line, state);
    const label = (at === 0 ? 'output' : '').padEnd(labelWidth);
    await output.programLine(`  ${label} ${(time === toldTime ? '' : time).padStart(intoRunWidth)}  `, line.line);
    toldTime = time;
  }
  return lines.length > 0;
}

/** The tones of the dashboard, in the colours of results. */
function toneOf(tone: string | undefined): Tone {
  if (tone === 'active') return 'good';
  return tone === 'good' || tone === 'bad' || tone === 'warn' || tone === 'strong' ? tone : 'plain';
}
