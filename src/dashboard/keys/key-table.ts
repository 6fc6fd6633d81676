import type { KeyBinding, KeyContext, KeySituation } from './key-binding.ts';

const everywhere: readonly KeyContext[] = ['session', 'overview', 'detail', 'help', 'decision', 'rollback', 'stop'];
const lists: readonly KeyContext[] = ['session', 'overview', 'detail', 'help', 'rollback', 'stop'];
const main: readonly KeyContext[] = ['session', 'overview'];
const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

export const keyTable: readonly KeyBinding[] = [
  {
    keys: digits,
    shown: '1-9',
    does: 'highlight an option; nothing is sent yet',
    in: ['decision'],
    action: 'digit',
    label: 'choose',
    rank: 0,
  },
  {
    keys: ['enter'],
    shown: 'Enter',
    does: 'send the highlighted option',
    in: ['decision'],
    action: 'send-choice',
    label: 'send',
    rank: 0,
    needs: 'choice',
  },
  { keys: ['j', 'down'], shown: 'j ↓', does: 'highlight the next option', in: ['decision'], action: 'option-down' },
  { keys: ['k', 'up'], shown: 'k ↑', does: 'highlight the option before', in: ['decision'], action: 'option-up' },
  { keys: ['tab', 'right'], shown: 'Tab →', does: 'the next pending decision', in: ['decision'], action: 'decision-next' },
  { keys: ['shift-tab', 'left'], shown: 'Shift-Tab ←', does: 'the decision before', in: ['decision'], action: 'decision-before' },
  { keys: ['c'], shown: 'c', does: 'add a comment', in: ['decision'], action: 'comment', label: 'comment', rank: 3 },
  {
    keys: ['y'],
    shown: 'y',
    does: 'confirm the rollback on screen',
    in: ['rollback'],
    action: 'confirm',
    label: 'roll back',
    rank: 0,
    needs: 'preview',
  },
  {
    keys: ['enter', 'n', 'q'],
    shown: 'Enter',
    does: 'cancel the rollback (the default)',
    in: ['rollback'],
    action: 'back',
    label: 'cancel',
    rank: 0,
  },
  {
    keys: ['y'],
    shown: 'y',
    does: 'end the program',
    in: ['stop'],
    action: 'confirm',
    label: 'end the program',
    rank: 0,
    needs: 'preview',
  },
  {
    keys: ['enter', 'n', 'q'],
    shown: 'Enter',
    does: 'leave the program running (the default)',
    in: ['stop'],
    action: 'back',
    label: 'cancel',
    rank: 0,
  },
  {
    keys: ['?'],
    shown: '?',
    does: 'this help',
    in: ['session', 'overview', 'detail', 'decision', 'rollback', 'stop'],
    action: 'help',
    label: 'help',
    rank: 0,
  },
  { keys: ['enter'], shown: 'Enter', does: 'open the session', in: ['overview'], action: 'open', label: 'open', rank: 1, needs: 'session' },
  {
    keys: ['/'],
    shown: '/',
    does: 'filter events: part of a line, skill:* for types, /! for all but; or sessions: words of id, task, folder, status',
    in: main,
    action: 'filter',
    label: 'filter',
    rank: 5,
  },
  {
    keys: ['d'],
    shown: 'd',
    does: 'answer the oldest pending decision',
    in: ['session'],
    action: 'decide',
    label: 'decide',
    rank: 1,
    needs: 'decision',
    operates: true,
  },
  {
    keys: ['n'],
    shown: 'n',
    does: 'to the next session that needs you',
    in: ['overview'],
    action: 'next-needing',
    label: 'next',
    rank: 4,
    needs: 'session',
  },
  {
    keys: ['m'],
    shown: 'm',
    does: 'mark a session: H and R act on all marked ones; Esc unmarks',
    in: ['overview'],
    action: 'mark',
    label: 'mark',
    rank: 4,
    needs: 'session',
  },
  {
    keys: ['H'],
    shown: 'H',
    does: 'halt at once, without asking',
    in: [...everywhere, 'tiny'],
    action: 'halt',
    label: 'halt',
    rank: 1,
    needs: 'can-halt',
    operates: true,
  },
  {
    keys: ['R'],
    shown: 'R',
    does: 'resume a halted session, take back a HALT',
    in: ['session', 'overview', 'detail'],
    action: 'resume',
    label: 'resume',
    rank: 1,
    needs: 'can-resume',
    operates: true,
  },
  {
    keys: ['B'],
    shown: 'B',
    does: 'roll back: shows first what would be undone, and asks',
    in: ['session'],
    action: 'rollback',
    label: 'rollback',
    rank: 3,
    needs: 'can-rollback',
    operates: true,
  },
  {
    keys: ['X'],
    shown: 'X',
    does: 'stop: end the program and all that it has started; asks first',
    in: main,
    action: 'stop',
    label: 'stop',
    rank: 4,
    needs: 'can-stop',
    operates: true,
  },
  {
    keys: ['s'],
    shown: 's',
    does: 'leave the full screen for a plain stream; s again comes back',
    in: main,
    action: 'stream',
    label: 'stream',
    rank: 6,
  },
  {
    keys: ['y'],
    shown: 'y',
    does: 'copy the selected item to the clipboard (OSC 52)',
    in: ['session', 'overview', 'detail'],
    action: 'copy',
    label: 'copy',
    rank: 7,
  },
  { keys: digits.slice(1, 7), shown: '1-6', does: 'focus a panel', in: ['session'], action: 'focus' },
  { keys: ['tab'], shown: 'Tab', does: 'focus the next panel', in: ['session'], action: 'focus-next' },
  { keys: ['shift-tab'], shown: 'Shift-Tab', does: 'focus the panel before', in: ['session'], action: 'focus-previous' },
  { keys: ['j', 'down'], shown: 'j ↓', does: 'down', in: lists, action: 'down' },
  { keys: ['k', 'up'], shown: 'k ↑', does: 'up; in the events this stops follow', in: lists, action: 'up' },
  { keys: ['pagedown', 'space'], shown: 'PgDn Space', does: 'a page down', in: lists, action: 'page-down' },
  { keys: ['pageup'], shown: 'PgUp', does: 'a page up', in: lists, action: 'page-up' },
  { keys: ['g', 'home'], shown: 'g Home', does: 'to the first', in: lists, action: 'first' },
  { keys: ['G', 'end'], shown: 'G End', does: 'to the last; in the events this follows again', in: lists, action: 'last' },
  { keys: ['enter'], shown: 'Enter', does: 'show the selected item in full', in: ['session'], action: 'open' },
  { keys: ['f'], shown: 'f', does: 'follow the newest events, or stop', in: main, action: 'follow' },
  { keys: ['+', '='], shown: '+', does: 'zoom the focused panel, and back', in: ['session'], action: 'zoom' },
  { keys: ['t'], shown: 't', does: 'timestamps: time of day, since the start, none', in: main, action: 'timestamps' },
  {
    keys: [':'],
    shown: ':',
    does: 'type a command: at 12m, at 14:05, filter, session, send; Tab completes, arrows choose',
    in: main,
    action: 'command-line',
  },
  {
    keys: ['['],
    shown: '[',
    does: 'history: one event back, from the selected one where events are scrolled',
    in: ['session'],
    action: 'event-back',
  },
  { keys: [']'], shown: ']', does: 'history: one event forward', in: ['session'], action: 'event-forward' },
  { keys: ['{'], shown: '{', does: 'history: to the checkpoint before', in: ['session'], action: 'checkpoint-back' },
  { keys: ['}'], shown: '}', does: 'history: to the next checkpoint', in: ['session'], action: 'checkpoint-forward' },
  {
    keys: ['n'],
    shown: 'n',
    does: 'to the next event that passes the filter, without one to the next failure; in history the whole screen goes there',
    in: ['session'],
    action: 'next-hit',
    label: 'next hit',
    rank: 6,
    needs: 'filter',
  },
  { keys: ['N'], shown: 'N', does: 'to the one before', in: ['session'], action: 'previous-hit' },
  { keys: ['l'], shown: 'l', does: 'from history back to live', in: ['session'], action: 'live', label: 'live', rank: 0, needs: 'history' },
  {
    keys: ['escape'],
    shown: 'Esc',
    does: 'back: out of a dialog, history, zoom, filter, or to the overview',
    in: everywhere,
    action: 'back',
    label: 'back',
    rank: 2,
    needs: 'overview',
  },
  { keys: ['ctrl-z'], shown: 'Ctrl-Z', does: 'suspend; fg comes back', in: [...everywhere, 'typing', 'tiny'], action: 'suspend' },
  { keys: ['q'], shown: 'q', does: 'quit', in: ['session', 'overview', 'detail', 'tiny'], action: 'quit', label: 'quit', rank: 1 },
  { keys: ['q', '?'], shown: 'q ?', does: 'close the help', in: ['help'], action: 'back', label: 'close', rank: 0 },
  { keys: ['ctrl-c'], shown: 'Ctrl-C', does: 'quit at once (exit code 130)', in: [...everywhere, 'typing', 'tiny'], action: 'interrupt' },
];

/** The row of the table for a key, where it does something on this screen. */
export function bindingOf(key: string, context: KeyContext): KeyBinding | undefined {
  return keyTable.find((binding) => binding.in.includes(context) && binding.keys.includes(key));
}

/** Whether a key is one that a prompt takes and nothing else on its screen does: it sends, chooses, confirms or cancels. */
export function isPromptKey(key: string, prompt: 'decision' | 'rollback' | 'stop'): boolean {
  const binding = bindingOf(key, prompt);
  return binding !== undefined && binding.in.length === 1;
}

/** What the footer offers: what has a word, and can be done now. */
export function offeredKeys(situation: KeySituation): KeyBinding[] {
  return keyTable.filter(
    (binding) =>
      binding.label !== undefined &&
      binding.in.includes(situation.context) &&
      (situation.canOperate || binding.operates !== true) &&
      (binding.needs === undefined || situation.has.has(binding.needs)),
  );
}

/** The rows of the help: each binding once, without what `--readonly` refuses. */
export function helpBindings(isReadonly: boolean): KeyBinding[] {
  return keyTable.filter((binding) => !(isReadonly && binding.operates === true));
}
