import { newPrompt, openDecisions, withDigit } from '../../view/decision-prompt.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Board } from '../board.ts';

/** Opens the oldest decision of the session on screen. */
export function openOldestDecision(board: Board): void {
  const { ui, feed, desk } = board;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  const oldest = openDecisions(state)[0];
  if (ui.history !== undefined) board.say('this is history: l goes back to live first', 'warn');
  else if (oldest === undefined) board.say('no decision is pending', 'plain');
  else if (desk.isOpen('DECISION')) {
    board.change({
      prompt: newPrompt(oldest.decision_id, ui.focus),
      promptChange: { prompt: 'decision', atMs: Date.now() },
      focus: 'decision',
      isZoomed: false,
    });
  }
}

/** Highlights an option of the decision on screen. */
export function highlightOption(board: Board, digit: number): void {
  const { ui, feed } = board;
  const { prompt } = ui;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  const decision = state?.decisions.find((each) => each.decision_id === prompt?.decisionId);
  if (prompt === undefined || decision === undefined || prompt.sending) return;
  const next = withDigit(prompt, digit, decision.options.length);
  if (next === prompt) board.say(`there is no option ${digit}`, 'warn');
  board.change({ prompt: next });
}

/** Sends the highlighted option of the decision on screen. */
export function answerDecision(board: Board): void {
  const { ui, feed, desk } = board;
  const { prompt, sessionId } = ui;
  if (prompt === undefined || sessionId === undefined || prompt.sending) return;
  const decision = feed.state(sessionId)?.decisions.find((each) => each.decision_id === prompt.decisionId);
  const option = prompt.choice === null ? undefined : decision?.options[prompt.choice];
  if (option === undefined) {
    board.say('nothing is chosen yet: a digit chooses, then Enter sends', 'warn');
    return;
  }
  board.change({ prompt: { ...prompt, sending: true } });
  const what = `"${shown(option.label, 60)}"`;
  const command = { type: 'DECISION', session_id: sessionId, decision_id: prompt.decisionId, choice: option.id } as const;
  void desk.send(command, what).then((result) => {
    const now = board.ui.prompt;
    if (now?.decisionId !== prompt.decisionId) return;
    if (result?.success === true) closePrompt(board);
    else board.change({ prompt: { ...now, sending: false }, promptChange: { prompt: 'decision', atMs: Date.now() } });
    board.draw();
  });
}

/** Ends the prompt, by itself as far as is known here; the keys go back to the panel that had them. */
export function closePrompt(board: Board): void {
  const { prompt, focus } = board.ui;
  board.change({ focus: prompt?.focusBefore ?? focus, prompt: undefined, promptChange: { prompt: 'decision', atMs: Date.now() } });
}

/** Brings the prompt in line with what is known: one whose decision was made elsewhere goes, and says so. */
export function reconcilePrompt(board: Board): void {
  const { ui, feed } = board;
  const { prompt, sessionId } = ui;
  if (sessionId === undefined || prompt === undefined) return;
  const decision = feed.state(sessionId)?.decisions.find((each) => each.decision_id === prompt.decisionId);
  if (decision?.status === 'open') return;
  closePrompt(board);
  if (prompt.sending) return;
  const outcome =
    decision === undefined
      ? 'the decision is gone'
      : `already made: "${shown(decision.choice ?? '', 100)}" by ${shown(decision.made_by ?? '?', 60)}`;
  board.say(outcome, 'warn');
}
