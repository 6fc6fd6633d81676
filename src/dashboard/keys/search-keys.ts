import { matchesGlob } from '../../core/event-filter.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { typedFilter, typedGlob } from '../../view/log/log-buffer.ts';
import { logLines, type LogLine } from '../../view/log/log-lines.ts';
import { count } from '../../view/text/numbers.ts';
import { failureTypes, isFailure } from '../../view/text/event-phrase.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Board } from '../board.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { goToEvent } from './history-keys.ts';
import { selectedLine } from './item-keys.ts';

type Direction = 1 | -1;

/**
 * To the next line that the filter lets pass, or without a filter to the next failure; or to the one before. Now the selection of the
 * events goes there, in the past the whole screen. The lines at hand are looked through first, then the journal.
 */
export function toHit(board: Board, direction: Direction): void {
  const { ui } = board;
  if (ui.sessionId === undefined) return;
  const lines = board.lines();
  const selected = selectedLine(board);
  const at = selected === undefined ? lines.length : lines.indexOf(selected);
  // What is selected by itself counts too, as the newest, unless it is the moment on screen.
  const isCounted = ui.follow && selected?.seq !== ui.history?.seq;
  const from = direction === -1 && isCounted ? at + 1 : at;
  const ahead = direction === 1 ? lines.slice(from + 1) : lines.slice(0, Math.max(0, from)).toReversed();
  const hole = ahead.findIndex(isHole);
  const reached = hole === -1 ? ahead : ahead.slice(0, hole);
  const near = hasLinesOfMoment(board) ? reached.find((line) => line.seq > 0 && isHit(board, line)) : undefined;
  if (near === undefined) lookFurther(board, direction);
  else show(board, near);
}

/** Asks the journal for what lies beyond the lines at hand. */
function lookFurther(board: Board, direction: Direction): void {
  const { ui, feed } = board;
  const { sessionId, history } = ui;
  if (sessionId === undefined) return;
  const newest = feed.state(sessionId)?.seq ?? 0;
  const what = ui.filter === '' ? 'failure' : `"${shown(ui.filter, 30)}"`;
  const [where, way] = direction === 1 ? (['after', 'ahead'] as const) : (['before', 'back'] as const);
  feed.finder
    .find({
      sessionId,
      from: endOfLines(board, sessionId, direction),
      direction,
      newest,
      types: typesOf(board),
      passes: (event) => passes(board, event),
      onLook: (looked) =>
        board.say(`looking ${way} for ${ui.filter === '' ? 'a failure' : what}: at event ${count(looked)}; any key ends that`, 'plain'),
    })
    .then(async (event) => {
      if (event === undefined || board.ui.sessionId !== sessionId) return;
      board.change({ notice: undefined });
      if (event === null) board.say(`no ${what} ${where} this`, 'plain');
      else if (history !== undefined) goToEvent(board, event.seq);
      else {
        await feed.pages.showAround(sessionId, event.seq);
        // Meanwhile somebody may have gone elsewhere.
        if (board.ui.sessionId !== sessionId || board.ui.history !== undefined) return;
        const line = board.lines().find((each) => each.seq >= event.seq && isHit(board, each));
        if (line === undefined) board.say(`event ${count(event.seq)} has no line here: too many came at once`, 'warn');
        else show(board, line);
      }
      board.draw();
    })
    .catch((error: unknown) => board.say(`history: ${reasonOf(error)}`, 'bad'));
}

/** Whether the lines at hand are those of the moment on screen. Those of a moment that one has just gone to are still to come. */
function hasLinesOfMoment({ ui: { history } }: Board): boolean {
  return history === undefined || history.state?.seq === history.seq;
}

/** The event at which the lines at hand end. */
function endOfLines(board: Board, sessionId: string, direction: Direction): number {
  const { ui, feed, scrubber } = board;
  if (ui.history !== undefined && !hasLinesOfMoment(board)) return ui.history.seq;
  const { log } = ui.history === undefined ? feed : scrubber;
  const newest = feed.state(sessionId)?.seq ?? 0;
  const hole = log.hole(sessionId);
  const isAboveHole = hole !== undefined && (selectedLine(board)?.seq ?? newest) < hole.from;
  if (direction === 1) return isAboveHole ? hole.from - 1 : (ui.history?.seq ?? newest);
  return hole === undefined || isAboveHole ? (log.firstSeq(sessionId) ?? newest + 1) : hole.to + 1;
}

function show(board: Board, line: LogLine): void {
  const { ui, screen } = board;
  if (ui.history !== undefined) {
    goToEvent(board, line.seq);
    return;
  }
  const height = screen?.lists.events?.height ?? 1;
  const cursor = { key: String(line.number), row: Math.floor(height / 2) };
  board.change({ focus: 'events', follow: false, cursors: { ...ui.cursors, events: cursor } });
}

/** Whether a line on screen is one to go to: those that the filter does not let pass are not on screen. */
function isHit({ ui }: Board, line: LogLine): boolean {
  return line.seq > 0 && (ui.filter === '' ? line.tone === 'bad' : true);
}

function isHole(line: LogLine): boolean {
  return line.type === 'dashboard:hole';
}

function passes({ ui, settings }: Board, event: SessionEvent): boolean {
  const { globs } = settings;
  if (globs.length > 0 && !globs.some((glob) => matchesGlob(glob, event.type))) return false;
  return ui.filter === '' ? isFailure(event) : logLines(event, 0).some(typedFilter(ui.filter));
}

/** The types that hits can have, where that is known: the journal finds those of rare types fast. */
function typesOf({ ui, settings }: Board): string | undefined {
  if (ui.filter === '') return failureTypes.join(',');
  return typedGlob(ui.filter) ?? (settings.globs.length === 0 ? undefined : settings.globs.join(','));
}
