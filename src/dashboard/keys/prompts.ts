import type { Dashboard } from '../dashboard.ts';
import { isLive } from '../../core/protocol/session-state.ts';
import type { RollbackDialog } from '../screen/screen-model.ts';
import { previewLines, previewTarget } from '../../view/rollback-preview.ts';
import { shown } from '../../view/text/shown-text.ts';

/** Sends the highlighted option of the decision on screen. */
export function answerDecision(board: Dashboard): void {
  const { ui, feed, desk } = board;
  const { prompt, sessionId } = ui;
  if (prompt === undefined || sessionId === undefined || prompt.sending) return;
  const decision = feed.state(sessionId)?.decisions.find((each) => each.decision_id === prompt.decisionId);
  const option = prompt.choice === null ? undefined : decision?.options[prompt.choice];
  if (option === undefined) {
    board.say('nothing is chosen yet: a digit chooses, then Enter sends', 'warn');
    return;
  }
  ui.prompt = { ...prompt, sending: true };
  const what = `"${shown(option.label, 60)}"`;
  const command = { type: 'DECISION', session_id: sessionId, decision_id: prompt.decisionId, choice: option.id } as const;
  void desk.send(command, what).then((result) => {
    if (ui.prompt?.decisionId !== prompt.decisionId) return;
    if (result?.success === true) closePrompt(board);
    else {
      ui.prompt = { ...ui.prompt, sending: false };
      ui.promptChange = { prompt: 'decision', atMs: Date.now() };
    }
    board.draw();
  });
}

/** Ends the prompt, by itself as far as is known here; the keys go back to the panel that had them. */
export function closePrompt({ ui }: Dashboard): void {
  if (ui.prompt !== undefined) ui.focus = ui.prompt.focusBefore;
  ui.prompt = undefined;
  ui.promptChange = { prompt: 'decision', atMs: Date.now() };
}

/** Asks the orchestrator what a rollback would undo; confirming it is only possible once that is on screen. */
export function openRollback(board: Dashboard): void {
  const { ui, feed, desk } = board;
  const { sessionId } = ui;
  const state = sessionId === undefined ? undefined : feed.state(sessionId);
  if (sessionId === undefined || state === undefined) return;
  if (ui.history !== undefined) {
    board.say('this is history: l goes back to live first', 'warn');
    return;
  }
  if (!isLive(state.status)) {
    board.say(`${state.status} already: nothing takes a rollback any more`, 'warn');
    return;
  }
  if (!desk.isOpen('ROLLBACK')) return;
  const target = { steps: 1 };
  const dialog: RollbackDialog = {
    kind: 'rollback',
    sessionId,
    stage: 'asking',
    lines: [],
    target,
    checkpointSeq: checkpointSeq(board, sessionId),
    top: 0,
  };
  change(board, dialog);
  // Without an orchestrator the question would lie in its queue and be answered to nobody.
  if (state.orchestrator?.attached !== true) {
    change(board, { ...dialog, stage: 'refused', lines: ['no orchestrator is attached that could undo anything'] });
    return;
  }
  void desk.send({ type: 'ROLLBACK', session_id: sessionId, ...target, dry_run: true }, 'preview').then((result) => {
    if (ui.overlay !== dialog) return;
    ui.notice = result?.status === 'applied' ? undefined : ui.notice;
    if (result?.status === 'applied') {
      change(board, { ...dialog, stage: 'ready', lines: previewLines(result.result), target: previewTarget(result.result, target) });
    } else {
      const why =
        result === undefined
          ? 'the question did not get through'
          : shown(result.error ?? result.message ?? `the preview is ${result.status}`, 500);
      change(board, { ...dialog, stage: 'refused', lines: [why] });
    }
    board.draw();
  });
}

/** Sends the rollback that the dialog shows. What has been saved since then makes it ask again. */
export function confirmRollback(board: Dashboard): void {
  const { ui, desk } = board;
  const dialog = ui.overlay;
  if (dialog?.kind !== 'rollback' || dialog.stage !== 'ready' || !desk.isOpen('ROLLBACK')) return;
  if (dialog.checkpointSeq !== checkpointSeq(board, dialog.sessionId)) {
    openRollback(board);
    board.say('a checkpoint came meanwhile: this is the new preview', 'warn');
    return;
  }
  const sending: RollbackDialog = { ...dialog, stage: 'sending' };
  change(board, sending);
  void desk.send({ type: 'ROLLBACK', session_id: dialog.sessionId, ...dialog.target }, 'ROLLBACK').then(() => {
    if (ui.overlay === sending) change(board, undefined);
    board.draw();
  });
}

function change(board: Dashboard, dialog: RollbackDialog | undefined): void {
  board.ui.overlay = dialog;
  board.ui.promptChange = { prompt: 'rollback', atMs: Date.now() };
}

function checkpointSeq(board: Dashboard, sessionId: string): number {
  return board.feed.state(sessionId)?.checkpoints.at(-1)?.seq ?? 0;
}
