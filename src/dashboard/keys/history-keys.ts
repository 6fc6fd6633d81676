import type { Board } from '../board.ts';
import { checkpointFrom } from '../session/scrubber.ts';

/** Shows the session some events before or after what is on screen. */
export function scrubBy(board: Board, events: number): void {
  scrubTo(board, seqOnScreen(board) + events);
}

/** Shows the session at the checkpoint before or after what is on screen. */
export function scrubToCheckpoint(board: Board, direction: -1 | 1): void {
  const { ui, feed } = board;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  const seq = checkpointFrom(state?.checkpoints ?? [], seqOnScreen(board), direction);
  if (seq === undefined)
    board.say(direction === -1 ? 'no checkpoint before this' : 'no checkpoint after this; l goes back to live', 'plain');
  else scrubTo(board, seq);
}

/** Shows the session as it is now. */
export function leaveHistory(board: Board): void {
  if (board.scrubber.view === undefined) board.say('this is live already', 'plain');
  board.scrubber.leave();
}

function scrubTo(board: Board, seq: number): void {
  const { ui, feed, scrubber } = board;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  if (ui.sessionId === undefined || state === undefined) return;
  if (seq < 1) board.say('this is the first event', 'plain');
  else if (seq > state.seq) {
    if (scrubber.view === undefined) board.say('this is live already: [ goes back', 'plain');
    else leaveHistory(board);
  } else scrubber.go(ui.sessionId, seq);
}

function seqOnScreen({ ui, feed, scrubber }: Board): number {
  return scrubber.view?.seq ?? (ui.sessionId === undefined ? 0 : (feed.state(ui.sessionId)?.seq ?? 0));
}
