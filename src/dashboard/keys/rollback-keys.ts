import type { Board } from '../board.ts';
import { isLive } from '../../core/protocol/session-state.ts';
import type { RollbackDialog } from '../ui-state.ts';
import { checkpointLines, previewLines, previewTarget, whyNoRollback } from '../../view/rollback-preview.ts';
import { shown } from '../../view/text/shown-text.ts';

/** Asks the orchestrator what a rollback would undo; confirming it is only possible once that is on screen. */
export function openRollback(board: Board): void {
  const { ui, feed, desk } = board;
  const { sessionId } = ui;
  const state = sessionId === undefined ? undefined : feed.state(sessionId);
  if (sessionId === undefined || state === undefined) return;
  const why = whyNoRollback(state);
  if (why !== undefined && !isLive(state.status)) {
    board.say(why, 'warn');
    return;
  }
  if (!desk.isOpen('ROLLBACK')) return;
  const target = { steps: 1 };
  const dialog: RollbackDialog = {
    kind: 'rollback',
    sessionId,
    stage: 'asking',
    lines: [],
    checkpoint: [],
    target,
    checkpointSeq: checkpointSeq(board, sessionId),
  };
  board.change({ overlayTop: 0 });
  show(board, dialog);
  if (why !== undefined) {
    show(board, { ...dialog, stage: 'refused', lines: [why] });
    return;
  }
  void desk.send({ type: 'ROLLBACK', session_id: sessionId, ...target, dry_run: true }, 'preview').then((result) => {
    if (board.ui.overlay !== dialog) return;
    if (result?.status === 'applied') {
      board.change({ notice: undefined });
      const named = previewTarget(result.result, target);
      const checkpoint = 'checkpoint_id' in named ? checkpointLines(feed.state(sessionId), named.checkpoint_id, board.style()) : [];
      show(board, { ...dialog, stage: 'ready', lines: previewLines(result.result), checkpoint, target: named });
    } else {
      const refusal =
        result === undefined
          ? 'the question did not get through'
          : shown(result.error ?? result.message ?? `the preview is ${result.status}`, 500);
      show(board, { ...dialog, stage: 'refused', lines: [refusal] });
    }
    board.draw();
  });
}

/** Sends the rollback that the dialog shows. What has been saved since then makes it ask again. */
export function confirmRollback(board: Board, dialog: RollbackDialog): void {
  const { desk } = board;
  if (dialog.stage !== 'ready' || !desk.isOpen('ROLLBACK')) return;
  if (dialog.checkpointSeq !== checkpointSeq(board, dialog.sessionId)) {
    openRollback(board);
    board.say('a checkpoint came meanwhile: this is the new preview', 'warn');
    return;
  }
  const sending: RollbackDialog = { ...dialog, stage: 'sending' };
  show(board, sending);
  void desk.send({ type: 'ROLLBACK', session_id: dialog.sessionId, ...dialog.target }, 'ROLLBACK').then(() => {
    if (board.ui.overlay === sending) show(board, undefined);
    board.draw();
  });
}

function show(board: Board, dialog: RollbackDialog | undefined): void {
  board.change({ overlay: dialog, promptChange: { prompt: 'rollback', atMs: Date.now() } });
}

function checkpointSeq(board: Board, sessionId: string): number {
  return board.feed.state(sessionId)?.checkpoints.at(-1)?.seq ?? 0;
}
