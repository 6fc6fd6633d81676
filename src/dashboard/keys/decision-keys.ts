import { newPrompt, openDecisions, withDigit, withStep, type DecisionPrompt } from '../../view/decision-prompt.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Board } from '../board.ts';
import { isPast } from './history-keys.ts';

/** Opens the oldest decision of the session on screen. */
export function openOldestDecision(board: Board): void {
  const { ui, feed, desk } = board;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  const oldest = openDecisions(state)[0];
  if (isPast(board)) return;
  if (oldest === undefined) board.say('no decision is pending', 'plain');
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
  changeChoice(board, (prompt, options) => {
    const next = withDigit(prompt, digit, options);
    if (next === prompt) board.say(`there is no option ${digit}`, 'warn');
    return next;
  });
}

/** Highlights an option, by its place from 0, of a decision, which is opened where it is not yet. Nothing is sent. */
export function chooseOption(board: Board, decisionId: string, option: number): void {
  if (board.ui.prompt === undefined) openOldestDecision(board);
  changeChoice(board, (prompt, options) => (prompt.decisionId === decisionId && option < options ? { ...prompt, choice: option } : prompt));
}

/** Highlights the next option, or the one before. */
export function stepOption(board: Board, by: 1 | -1): void {
  changeChoice(board, (prompt, options) => withStep(prompt, by, options));
}

/** Begins to type a comment, or goes on with it. */
export function writeComment(board: Board): void {
  changeChoice(board, (prompt) => ({ ...prompt, commentInput: prompt.comment }));
}

/** Shows another pending decision instead, with nothing highlighted. */
export function showOtherDecision(board: Board, by: 1 | -1): void {
  const { ui, feed } = board;
  const { prompt, sessionId } = ui;
  if (prompt === undefined || prompt.sending || sessionId === undefined) return;
  const open = openDecisions(feed.state(sessionId));
  const at = open.findIndex((each) => each.decision_id === prompt.decisionId);
  const other = open[(at + by + open.length) % open.length];
  if (other === undefined || other.decision_id === prompt.decisionId) board.say('no other decision is pending', 'plain');
  else board.change({ prompt: newPrompt(other.decision_id, prompt.focusBefore) });
}

function changeChoice(board: Board, change: (prompt: DecisionPrompt, options: number) => DecisionPrompt): void {
  const { ui, feed } = board;
  const { prompt } = ui;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  const decision = state?.decisions.find((each) => each.decision_id === prompt?.decisionId);
  if (prompt === undefined || decision === undefined || prompt.sending) return;
  board.change({ prompt: change(prompt, decision.options.length) });
}

/** Sends the highlighted option of the decision on screen. */
export function answerDecision(board: Board): void {
  const { ui, feed, desk } = board;
  const { prompt, sessionId } = ui;
  if (prompt === undefined || sessionId === undefined || prompt.sending) return;
  const decision = feed.state(sessionId)?.decisions.find((each) => each.decision_id === prompt.decisionId);
  const option = prompt.choice === null ? undefined : decision?.options[prompt.choice];
  if (option === undefined) {
    board.say('nothing is chosen yet: a digit or an arrow chooses, then Enter sends', 'warn');
    return;
  }
  board.change({ prompt: { ...prompt, sending: true } });
  const what = `"${shown(option.label, 60)}"`;
  const comment = prompt.comment === '' ? {} : { comment: prompt.comment };
  const command = { type: 'DECISION', session_id: sessionId, decision_id: prompt.decisionId, choice: option.id, ...comment } as const;
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
