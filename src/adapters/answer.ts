/** What is decided about a hook that an agent waits for, whichever agent it is. */
export type Answer =
  /** The agent goes on as if nobody had been asked. */
  | { kind: 'nothing' }
  /** The agent goes on, and its model reads this. */
  | { kind: 'context'; text: string }
  /** The tool call does not happen; its model reads why. */
  | { kind: 'deny'; reason: string }
  /** To a question: the labels chosen for each, in the order of the questions. A text of one's own stands in the place of a label. */
  | { kind: 'answers'; answers: string[][] }
  /** To a permission. `always`: by the rule that the agent suggested, too. */
  | { kind: 'allow'; isAlways: boolean }
  /** To a plan; `reason` is what to change, where it is not approved. */
  | { kind: 'plan'; isApproved: boolean; reason: string | null }
  /** The turn does not end; its model reads what to do next. */
  | { kind: 'go-on'; instructions: string }
  /** The prompt is not taken; the person at the terminal reads why. */
  | { kind: 'refuse-prompt'; reason: string };

export type AnswerKind = Answer['kind'];

/** The agent goes on as if nobody had been asked. */
export const nothing: Answer = { kind: 'nothing' };
