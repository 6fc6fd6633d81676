/** What is on screen, as far as keys go. */
export type KeyContext = 'session' | 'overview' | 'detail' | 'help' | 'decision' | 'rollback' | 'stop' | 'typing' | 'tiny';

/** What a key does. */
export type KeyAction =
  | 'help'
  | 'back'
  | 'quit'
  | 'interrupt'
  | 'suspend'
  | 'focus'
  | 'focus-next'
  | 'focus-previous'
  | 'down'
  | 'up'
  | 'page-down'
  | 'page-up'
  | 'first'
  | 'last'
  | 'open'
  | 'filter'
  | 'command-line'
  | 'zoom'
  | 'follow'
  | 'stream'
  | 'copy'
  | 'timestamps'
  | 'decide'
  | 'digit'
  | 'option-down'
  | 'option-up'
  | 'decision-next'
  | 'decision-before'
  | 'comment'
  | 'send-choice'
  | 'next-needing'
  | 'mark'
  | 'halt'
  | 'resume'
  | 'rollback'
  | 'confirm'
  | 'stop'
  | 'event-back'
  | 'event-forward'
  | 'next-hit'
  | 'previous-hit'
  | 'checkpoint-back'
  | 'checkpoint-forward'
  | 'live';

/** When the footer offers a key. */
export type KeyNeed =
  | 'session'
  | 'decision'
  | 'can-halt'
  | 'can-resume'
  | 'can-stop'
  | 'can-rollback'
  | 'history'
  | 'filter'
  | 'overview'
  | 'preview'
  | 'choice';

/** One row of the key table: the footer, the help, and what happens all come from here. */
export interface KeyBinding {
  /** The names of the keys, as `keysOf` gives them. */
  keys: readonly string[];
  /** How the help writes them. */
  shown: string;
  /** The help's sentence. */
  does: string;
  in: readonly KeyContext[];
  action: KeyAction;
  /** The footer's word; without it the footer leaves the key to the help. */
  label?: string;
  /** In a narrow footer the highest goes first. */
  rank?: number;
  needs?: KeyNeed;
  /** Sends a command: hidden and refused with `--readonly`. */
  operates?: true;
}

/** What can be done at the moment. */
export interface KeySituation {
  context: KeyContext;
  /** Whether commands can be sent: not read only, and connected. */
  canOperate: boolean;
  has: ReadonlySet<KeyNeed>;
}
