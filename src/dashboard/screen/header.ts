import { pendingDecisions } from '../../view/decision-prompt.ts';
import { clock, count, counted, rate, sparkline } from '../../view/text/numbers.ts';
import type { ScreenModel } from './screen-model.ts';
import { fitted, sides, spansWidth, type Row } from '../rows/row.ts';
import type { Span } from '../../view/cells.ts';
import { skillCounts } from '../../view/panels/skills-panel.ts';
import { shortId } from '../../view/agents/agent-session.ts';
import { agentSentence, placeText } from '../../view/agents/agent-sentence.ts';
import { standingSpan } from '../../view/agents/standing.ts';
import { connectionSpan, ranMs, statusLine } from '../../view/status-line.ts';
import { overviewTotals } from '../../view/overview.ts';
import { shown } from '../../view/text/shown-text.ts';
import { usedOf, usedText } from '../../view/text/usage-text.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { clip, textWidth } from '../rows/text-width.ts';

/** The rows at the top: which session and how it stands; what it is to do and what it has used; how far it is. */
export function headerRows(model: ScreenModel): Row[] {
  const { state, ui } = model;
  const decisions = pendingDecisions(model, ui.sessionId);
  const title: Row = { spans: titleSpans(model, decisions), reversed: decisions > 0 };
  if (state === undefined) return [title, { spans: progressSpans(model) }];
  const task = taskSpans(model, state);
  return [title, ...(task === undefined ? [] : [{ spans: task }]), { spans: progressSpans(model) }];
}

/** The task, and what the session has used so far: the figures stay whole, and where room is short the rest beside them goes. */
function taskSpans({ columns, style, ui, lastTokens }: ScreenModel, state: SessionState): Span[] | undefined {
  const task = state.task === null ? '' : shown(state.task);
  const used = usedText(usedOf(state));
  const place = placeText(state);
  if (task === '' && used === '' && place === '') return undefined;
  const choices = [[place, shown(state.model ?? '', 40), used], [place, used], [used]].map((each) => each.filter((text) => text !== ''));
  const room = columns - Math.min(textWidth(task), Math.floor(columns * 0.55)) - 5;
  const right = choices.map((each) => each.join('  ')).find((text) => textWidth(text) <= room) ?? used;
  // The used tokens of the past are not those of the last minutes.
  const spark = ui.history === undefined && right !== '' ? sparkline(lastTokens, style.glyphs.bars) : '';
  const hasRoom = spark !== '' && textWidth(right) + textWidth(spark) + 2 <= room;
  return sides(
    [{ text: ` ${task} `, tone: 'strong' }],
    [...(hasRoom ? [{ text: ` ${spark} `, tone: 'active' as const }] : []), { text: right === '' ? '' : ` ${right} ` }],
    columns,
    style.glyphs.ellipsis,
  );
}

function titleSpans(model: ScreenModel, decisions: number): Span[] {
  const { columns, style, state, ui } = model;
  const { ellipsis } = style.glyphs;
  const right = titleRight(model, decisions);
  const name = ui.sessionId === undefined ? `all sessions ${model.sessions.length}` : shortId(ui.sessionId);
  const status: Span[] = state === undefined ? [] : [{ text: '  ' }, standingSpan(state, style)];
  const elapsed: Span[] = state === undefined ? [] : [{ text: `  ${clock(ranMs(state, style.nowMs))}` }];
  const room = columns - spansWidth(right) - spansWidth(status) - 2;
  const withElapsed = room - spansWidth(elapsed) >= Math.min(name.length, 12) ? elapsed : [];
  const roomForName = Math.max(6, room - spansWidth(withElapsed));
  const left: Span[] = [
    { text: ` ${clip(name, roomForName, ellipsis, 'middle')}`, tone: 'strong' },
    ...status,
    ...withElapsed,
    { text: ' ' },
  ];
  return sides(left, right, columns, ellipsis);
}

/** Connection, rate, decisions; where room is short the rate goes first and the decisions never. */
function titleRight(model: ScreenModel, decisions: number): Span[] {
  const { columns, ui, style, connection } = model;
  const waiting: Span[] = decisions === 0 ? [] : [{ text: `  ${style.glyphs.alert} ${counted(decisions, 'decision')}`, tone: 'warn' }];
  const readonly: Span[] = model.isReadonly ? [{ text: '  read only' }] : [];
  const moment: Span[] =
    ui.history === undefined
      ? []
      : [{ text: `HISTORY ${count(ui.history.seq)}/${count(model.live?.seq ?? 0)}`, tone: 'warn' }, { text: '  l live' }];
  const where = connectionSpan(model);
  const speed: Span[] = connection.status === 'live' ? [{ text: `  ${rate(model.eventsPerSecond)} ev/s` }] : [];
  const spark = sparkline(model.lastSeconds, style.glyphs.bars);
  const bars: Span[] = spark === '' || connection.status !== 'live' ? [] : [{ text: `  ${spark}`, tone: 'active' }];
  const choices: Span[][] =
    ui.history === undefined
      ? [[where, ...bars, ...speed, ...readonly], [where, ...speed, ...readonly], [where, ...speed], [where], [connectionSpan(model, true)]]
      : inThePast(connection.status === 'live' ? [] : [where, { text: '  ' }], moment, readonly);
  const room = columns * 0.62 - spansWidth(waiting);
  const found = choices.find((spans) => spansWidth(spans) <= room) ?? choices.at(-1) ?? [];
  const kept = spansWidth(found) <= room ? found : fitted(found, Math.max(0, Math.floor(room)), style.glyphs.ellipsis);
  return [...kept, ...waiting, { text: ' ' }];
}

/** A moment of the past bears no mark of now; a connection that is away is told all the same. */
function inThePast(away: Span[], moment: Span[], readonly: Span[]): Span[][] {
  return [[...away, ...moment, ...readonly], moment, moment.slice(0, 1)];
}

function progressSpans(model: ScreenModel): Span[] {
  const { columns, style, state, ui } = model;
  const { ellipsis, full, empty } = style.glyphs;
  // The task has a row of its own.
  const said = [...agentSentence(model), ...statusLine({ ...model, state: state === undefined ? undefined : { ...state, task: null } })];
  const sentences = said.flatMap((sentence): Span[] => [{ text: '  ' }, sentence]);
  if (state === undefined) {
    const totals = ui.sessionId === undefined ? overviewTotals(model.sessions) : [];
    return fitted([{ text: ' ' }, ...totals, ...sentences], columns, ellipsis);
  }
  const { done, failed, total } = skillCounts(state);
  const figures: Span[] = [
    ...(state.progress === null ? [] : [{ text: `  ${Math.round(state.progress)}%` }]),
    ...(total === 0 ? [] : [{ text: `  ${done}/${total} skills` }]),
    ...(failed === 0 ? [] : [{ text: `  ${failed} failed`, tone: 'bad' } as const]),
    ...(model.connection.status === 'live' || ui.history !== undefined ? [] : [{ text: '  stale', tone: 'bad' } as const]),
    ...sentences,
  ];
  const part = state.progress === null ? (total === 0 ? null : done / total) : state.progress / 100;
  // A bar that can never fill says less than nothing.
  if (part === null) return fitted([{ text: ' ' }, ...trimmedStart(figures)], columns, ellipsis);
  const width = Math.max(8, Math.min(Math.floor(columns / 2), columns - spansWidth(figures) - 3));
  const filled = Math.round(Math.min(1, part) * width);
  const bar: Span[] = [
    { text: ` ${full.repeat(filled)}`, tone: state.status === 'failed' ? 'bad' : 'active' },
    { text: empty.repeat(width - filled), tone: 'line' },
  ];
  return fitted([...bar, ...figures], columns, ellipsis);
}

/** The spans without the space that sets the first one off. */
function trimmedStart([first, ...rest]: Span[]): Span[] {
  if (first === undefined) return [];
  return first.text.trim() === '' ? trimmedStart(rest) : [{ ...first, text: first.text.trimStart() }, ...rest];
}
