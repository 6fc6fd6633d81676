import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Moment } from '../../view/moment.ts';
import type { Board } from '../board.ts';
import { selectedLine } from './item-keys.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { checkpointFrom } from '../../feed/scrubber.ts';

/** Whether a moment of the past is on screen, which is said: what is sent is for now, and nobody sees now. */
export function isPast(board: Board): boolean {
  if (board.ui.history === undefined) return false;
  board.say('this is history: l goes back to live first', 'warn');
  return true;
}

/** Shows the session some events before or after what is on screen. */
export function scrubBy(board: Board, events: number): void {
  goToEvent(board, seqOnScreen(board) + events);
}

/** Shows the session at the checkpoint before or after what is on screen. */
export function scrubToCheckpoint(board: Board, direction: -1 | 1): void {
  const { ui, feed } = board;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  const seq = checkpointFrom(state?.checkpoints ?? [], seqOnScreen(board), direction);
  if (seq === undefined)
    board.say(direction === -1 ? 'no checkpoint before this' : 'no checkpoint after this; l goes back to live', 'plain');
  else goToEvent(board, seq);
}

/** Shows the session as it was at a moment; a moment that is still to come is now. */
export function goToMoment(board: Board, state: SessionState, moment: Moment): void {
  if ('seq' in moment) {
    goToEvent(board, moment.seq);
    return;
  }
  board.say('looking for that moment ...', 'plain');
  board.feed.placeBefore(state.session_id, moment.ms).then(
    (seq) => {
      if (board.ui.sessionId !== state.session_id) return;
      board.change({ notice: undefined });
      if (seq < 1) board.say('the first event is later than that', 'warn');
      else if (seq >= (board.feed.state(state.session_id)?.seq ?? 0)) board.say('nothing has happened since: this is live', 'plain');
      else goToEvent(board, seq);
      board.draw();
    },
    (error: unknown) => board.say(`history: ${reasonOf(error)}`, 'bad'),
  );
}

/** Shows the session as it is now. */
export function leaveHistory(board: Board): void {
  if (board.scrubber.view === undefined) board.say('this is live already', 'plain');
  board.scrubber.leave();
  board.change({ follow: true });
}

/** Shows the session as it was after an event. */
export function goToEvent(board: Board, seq: number): void {
  const { ui, feed, scrubber } = board;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  if (ui.sessionId === undefined || state === undefined) return;
  if (seq < 1) board.say('this is the first event', 'plain');
  else if (seq > state.seq) {
    if (scrubber.view === undefined) board.say('this is live already: [ goes back', 'plain');
    else leaveHistory(board);
  } else {
    scrubber.go(ui.sessionId, seq);
    board.change({ follow: true });
  }
}

/** The event that the screen shows, or, where the events are scrolled, that is selected. */
function seqOnScreen(board: Board): number {
  const { ui, feed, scrubber } = board;
  const newest = ui.sessionId === undefined ? 0 : (feed.state(ui.sessionId)?.seq ?? 0);
  const selected = ui.focus === 'events' && !ui.follow ? selectedLine(board)?.seq : undefined;
  return scrubber.view?.seq ?? (selected === undefined || selected < 1 ? newest : selected);
}
