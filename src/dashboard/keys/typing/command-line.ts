import type { CommandInput } from '../../../core/protocol/command.ts';
import { nearest } from '../../../core/text/nearest.ts';
import { momentOf } from '../../../view/moment.ts';
import { fitting } from '../../../view/text/fuzzy.ts';
import { shown } from '../../../view/text/shown-text.ts';
import type { Board } from '../../board.ts';
import { goToMoment, isPast } from '../history-keys.ts';
import { openSession } from '../item-keys.ts';
import { openRollback } from '../rollback-keys.ts';
import { openStop } from '../stop-keys.ts';

type Verb = 'at' | 'filter' | 'send' | 'session';

const verbs: Record<Verb, (board: Board, text: string) => void> = {
  at: goAt,
  filter: (board, text) => board.change(board.ui.sessionId === undefined ? { sessionFilter: text } : { filter: text }),
  send: sendTyped,
  session: goToSession,
};

/** What each command of the `send` verb takes after its name. */
type Maker = (words: string[], text: string) => CommandInput | undefined;

const commands: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  ['HALT', (_, reason) => ({ type: 'HALT', ...(reason === '' ? {} : { reason }) })],
  ['RESUME', () => ({ type: 'RESUME' })],
  [
    'REDIRECT',
    ([skill, ...rest]) =>
      skill === undefined
        ? undefined
        : { type: 'REDIRECT', target_skill: skill, ...(rest.length === 0 ? {} : { instructions: rest.join(' ') }) },
  ],
  ['INJECT', ([skill]) => (skill === undefined ? undefined : { type: 'INJECT', skill_name: skill })],
  [
    'DECISION',
    ([id, ...choice]) =>
      id === undefined || choice.length === 0 ? undefined : { type: 'DECISION', decision_id: id, choice: choice.join(' ') },
  ],
]);

/** The dialogs of the commands that ask first. */
const dialogs: ReadonlyMap<string, (board: Board, sessionId: string) => void> = new Map([
  ['ROLLBACK', (board: Board) => openRollback(board)],
  ['STOP', openStop],
]);

/** What was typed after `:`, carried out: a verb or its beginning and what it takes, or a moment alone. */
export function runCommandLine(board: Board, typed: string): void {
  const text = typed.trim();
  if (text === '') return;
  const [word, rest] = firstWord(text);
  if (/^[-#\d]/.test(word)) {
    goAt(board, text);
    return;
  }
  const verb = onlyOne(board, Object.keys(verbs) as Verb[], word.toLowerCase(), { what: 'command' });
  if (verb !== undefined) verbs[verb](board, rest);
}

function goAt(board: Board, text: string): void {
  const { ui, feed } = board;
  const state = ui.sessionId === undefined ? undefined : feed.state(ui.sessionId);
  if (state === undefined) {
    board.say('a moment is one of a session: open one first', 'warn');
    return;
  }
  const moment = momentOf(text, state);
  if (moment === undefined) board.say(`${shown(text, 40)} is no moment; 12m of the run, -5m before now, 14:05 and event 812 are`, 'warn');
  else goToMoment(board, state, moment);
}

function goToSession(board: Board, text: string): void {
  const ids = board.feed.sessions(Date.now()).map(({ state }) => state.session_id);
  const id = onlyOne(board, ids, text, { what: 'session' });
  if (id !== undefined) openSession(board, id);
}

function sendTyped(board: Board, text: string): void {
  const { ui, desk, settings } = board;
  const { sessionId } = ui;
  const [word, rest] = firstWord(text);
  if (sessionId === undefined) board.say('a command is for a session: open one first', 'warn');
  else if (settings.isReadonly) desk.isOpen('command');
  else if (!isPast(board)) {
    const type = onlyOne(board, [...commands.keys(), ...dialogs.keys()], word.toUpperCase(), { what: 'command', isStrict: true });
    if (type === undefined) return;
    const dialog = dialogs.get(type);
    if (dialog !== undefined) {
      dialog(board, sessionId);
      return;
    }
    const command = commands.get(type)?.(
      rest.split(' ').filter((each) => each !== ''),
      rest,
    );
    if (command === undefined) board.say(`${type} lacks something: REDIRECT SKILL, INJECT SKILL, DECISION ID CHOICE`, 'warn');
    else void desk.send({ ...command, session_id: sessionId }, type);
  }
}

function firstWord(text: string): [word: string, rest: string] {
  const [word = ''] = text.split(' ');
  return [word, text.slice(word.length).trim()];
}

/**
 * The name that is meant by its beginning, or by its letters where that is enough; where it is none or several, that is said.
 * @param options isStrict: what acts is meant by its beginning only
 */
function onlyOne<Name extends string>(
  board: Board,
  names: readonly Name[],
  typed: string,
  { what, isStrict = false }: { what: string; isStrict?: boolean },
): Name | undefined {
  const begin = names.filter((name) => name.startsWith(typed));
  const found = begin.length > 0 || isStrict ? begin : fitting(typed, names, (name) => name);
  const exact = found.find((name) => name === typed);
  if (exact !== undefined || found.length === 1) return exact ?? found[0];
  const near = found.length === 0 ? nearest(typed, names) : undefined;
  const listed = (found.length === 0 ? names : found)
    .slice(0, 6)
    .map((name) => shown(name, 40))
    .join(', ');
  const given = shown(typed, 40);
  if (near !== undefined) board.say(`no ${what} is called "${given}". Did you mean ${shown(near, 40)}?`, 'warn');
  else if (found.length === 0) board.say(`no ${what} begins with "${given}": ${listed}`, 'warn');
  else board.say(`several ${begin.length > 0 ? 'begin with' : 'have'} "${given}": ${listed}`, 'warn');
  return undefined;
}
