import { whyNoStop } from '../../view/stop-question.ts';
import type { Board } from '../board.ts';
import type { StopDialog } from '../ui-state.ts';

/** Asks whether the program of a session is to end. */
export function openStop(board: Board, sessionId: string): void {
  const { feed, desk } = board;
  const state = feed.state(sessionId);
  const why = state === undefined ? 'the session is not known yet' : whyNoStop(state);
  if (why !== undefined) board.say(why, 'warn');
  else if (desk.isOpen('STOP')) show(board, { kind: 'stop', sessionId, stage: 'ready' });
}

/** Sends the STOP that the dialog asks about. */
export function confirmStop(board: Board, dialog: StopDialog): void {
  if (dialog.stage !== 'ready' || !board.desk.isOpen('STOP')) return;
  const sending: StopDialog = { ...dialog, stage: 'sending' };
  show(board, sending);
  void board.desk.send({ type: 'STOP', session_id: dialog.sessionId }, 'STOP').then(() => {
    if (board.ui.overlay === sending) show(board, undefined);
    board.draw();
  });
}

function show(board: Board, dialog: StopDialog | undefined): void {
  board.change({ overlay: dialog, overlayTop: 0, promptChange: { prompt: 'stop', atMs: Date.now() } });
}
