import { foldAll } from '../../src/core/fold/fold.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { initialState, type SessionState } from '../../src/core/protocol/session-state.ts';
import { unicodeGlyphs } from '../../src/view/text/glyphs.ts';
import { LogBuffer } from '../../src/view/log/log-buffer.ts';
import type { ScreenModel } from '../../src/dashboard/screen/screen-model.ts';
import { initialUi, type UiState } from '../../src/dashboard/ui-state.ts';
import { rowText } from '../../src/dashboard/rows/row.ts';
import { screenOf } from '../../src/dashboard/screen/screen.ts';
import { textWidth } from '../../src/dashboard/rows/text-width.ts';
import { decisionEvents, runEvents } from './scripted-run.ts';

export const nowMs = Date.UTC(2026, 0, 2, 12, 18, 32);

/** Events as the journal would hold them. */
export function journalled(
  events: readonly { type: string; data: Record<string, unknown>; timestamp?: string }[],
  session = 'run-7f3a',
): SessionEvent[] {
  return events.map(({ type, data, timestamp }, index) => ({
    session_id: session,
    seq: index + 1,
    id: `e-${index + 1}`,
    type,
    data,
    timestamp: timestamp ?? new Date(nowMs - 60_000).toISOString(),
  }));
}

export const runJournal = journalled([...runEvents, ...decisionEvents]);

/** The state that events lead to. */
export function stateOf(events: readonly SessionEvent[]): SessionState {
  return foldAll(initialState({ session_id: events[0]?.session_id ?? 'run-7f3a', created_at: events[0]?.timestamp ?? '' }), events);
}

export interface ModelWish extends Partial<Omit<ScreenModel, 'ui'>> {
  events?: readonly SessionEvent[];
  ui?: Partial<UiState>;
}

/** A live model of the scripted run, but for what is wished otherwise. */
export function modelOf({ events = runJournal, ui, ...wish }: ModelWish = {}): ScreenModel {
  const state = events.length === 0 ? undefined : stateOf(events);
  const log = new LogBuffer();
  log.add(events);
  log.flush();
  return {
    columns: 120,
    rows: 40,
    style: { glyphs: unicodeGlyphs, nowMs, timestamps: 'clock' },
    wallMs: nowMs,
    url: 'http://127.0.0.1:8000',
    isReadonly: false,
    connection: { status: 'live', attempt: 0, retryAt: null, latencyMs: 12, error: null },
    lastEventMs: nowMs - 2_000,
    catchingUp: null,
    missed: null,
    eventsPerSecond: 142,
    lastSeconds: [0, 3, 160, 142],
    lastTokens: [],
    state,
    live: state,
    sessions: [],
    lines: log.lines(state?.session_id, [], ''),
    notShown: 0,
    earlier: 0,
    candidates: [],
    globs: [],
    ...wish,
    ui: { ...initialUi('run-7f3a'), hasChosenFocus: true, ...ui },
  };
}

/** The screen of a model as rows of text. @throws if its regions do not fill the window exactly */
export function screenRows(model: ScreenModel): string[] {
  const cells: { x: number; text: string }[][] = Array.from({ length: model.rows }, () => []);
  for (const region of screenOf(model).regions) {
    for (const [index, row] of region.rows.entries()) {
      const text = rowText(row);
      if (textWidth(text) !== region.width)
        throw new Error(`${region.id} row ${index} is ${textWidth(text)} wide, not ${region.width}: ${JSON.stringify(text)}`);
      const line = cells[region.y + index];
      if (line === undefined) throw new Error(`${region.id} row ${index} lies below the window`);
      line.push({ x: region.x, text });
    }
  }
  return cells.map((line, index) => {
    const text = line
      .sort((a, b) => a.x - b.x)
      .map((cell) => cell.text)
      .join('');
    if (textWidth(text) !== model.columns)
      throw new Error(`row ${index} is ${textWidth(text)} wide, not ${model.columns}: ${JSON.stringify(text)}`);
    return text;
  });
}
