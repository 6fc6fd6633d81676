import type { SessionState } from '../../../core/protocol/session-state.ts';
import { openDecisions, shownQuestion } from '../../../view/decision-prompt.ts';
import { nearest } from '../../../core/text/nearest.ts';
import { fitting } from '../../../view/text/fuzzy.ts';
import { shown } from '../../../view/text/shown-text.ts';

/** Something that can stand at the end of the command line. */
export interface Candidate {
  readonly label: string;
  readonly says: string;
  /** The whole command line with it. */
  readonly line: string;
  /** Whether that can be carried out as it is. */
  readonly isWhole: boolean;
}

/** What there is to name: the session on screen, and all that are known. */
export interface Known {
  state: SessionState | undefined;
  sessions: readonly SessionState[];
  isReadonly: boolean;
}

const most = 50;

const verbs = [
  ['at', 'go to a moment: 12m, -5m, 14:05, event 812, a checkpoint', 'session'],
  ['filter', 'show only what has these words, or is of a type', 'any'],
  ['session', 'open another session', 'any'],
  ['send', 'send a command: HALT, RESUME, REDIRECT ...', 'operator'],
] as const;

const types = [
  ['HALT', 'stand still at once; a reason may follow', true],
  ['RESUME', 'go on, take back a HALT', true],
  ['REDIRECT', 'go on with another skill', false],
  ['INJECT', 'put in a skill', false],
  ['DECISION', 'answer what is asked', false],
  ['ROLLBACK', 'back to a checkpoint; asks first', true],
  ['STOP', 'end the program; asks first', true],
] as const;

const filters = [
  ['*:failed', 'what has failed'],
  ['skill:*', 'skills'],
  ['agent:*', 'agents'],
  ['tool:*', 'tool calls'],
  ['file:*', 'files'],
  ['validation:*', 'checks'],
  ['decision:*', 'questions and answers'],
  ['command:*', 'commands'],
  ['checkpoint:*', 'checkpoints'],
  ['execution:*', 'the run itself'],
  ['process:output', 'output of the program'],
  ['message:*', 'messages'],
] as const;

/** What can stand at the end of a command line that is being typed, what fits best first. */
export function candidatesFor(typed: string, known: Known): readonly Candidate[] {
  const [verb, rest] = parted(typed.trimStart());
  if (rest === undefined) return fits(verb, verbCandidates(known), ({ label }) => label);
  switch (verb.toLowerCase()) {
    case 'at':
      return checkpoints(rest, known);
    case 'filter':
      return fits(
        rest,
        filters,
        ([glob]) => glob,
        ([glob, says]) => `${glob} ${says}`,
      ).map(([label, says]) => whole('filter', label, says));
    case 'session':
      return sessions(rest, known);
    case 'send':
      return known.state === undefined || known.isReadonly ? [] : sent(rest, known.state);
    default:
      return [];
  }
}

function verbCandidates({ state, isReadonly }: Known): Candidate[] {
  return verbs
    .filter(([, , needs]) => needs === 'any' || (state !== undefined && (needs !== 'operator' || !isReadonly)))
    .map(([label, says]) => ({ label, says, line: `${label} `, isWhole: false }));
}

function checkpoints(typed: string, { state }: Known): Candidate[] {
  const found = fits(
    typed,
    state?.checkpoints.toReversed() ?? [],
    ({ checkpoint_id }) => checkpoint_id,
    ({ checkpoint_id, label }) => `${checkpoint_id} ${label ?? ''}`,
  );
  return found.slice(0, most).map(({ checkpoint_id, label, seq }) => ({
    label: shown(checkpoint_id, 60),
    says: shown(label ?? '', 200),
    line: `at ${seq}`,
    isWhole: true,
  }));
}

function sessions(typed: string, known: Known): Candidate[] {
  const found = fits(
    typed,
    known.sessions,
    ({ session_id }) => session_id,
    ({ session_id, task }) => `${session_id} ${task ?? ''}`,
  );
  return found.slice(0, most).map(({ session_id, status, task }) => whole('session', session_id, `${status}  ${shown(task ?? '', 200)}`));
}

/** After `send`: a type, and what that needs. */
function sent(typed: string, state: SessionState): Candidate[] {
  const [type, rest] = parted(typed);
  if (rest === undefined) {
    return fits(type, types, ([name]) => name).map(([label, says, isWhole]) => ({
      label,
      says,
      line: `send ${label}${isWhole ? '' : ' '}`,
      isWhole,
    }));
  }
  const name = type.toUpperCase();
  if (name === 'DECISION') return decisions(rest, state);
  if (name !== 'REDIRECT' && name !== 'INJECT') return [];
  const skills = [...new Set([...state.planned_skills, ...state.skills.map(({ skill_name }) => skill_name)])].filter(isOneWord);
  return fits(rest, skills, (skill) => skill)
    .slice(0, most)
    .map((skill) => whole(`send ${name}`, skill, ''));
}

/** A decision that waits, and then one of its options. */
function decisions(typed: string, state: SessionState): Candidate[] {
  const open = openDecisions(state).filter(({ decision_id }) => isOneWord(decision_id));
  const [id, rest] = parted(typed);
  if (rest === undefined) {
    return fits(
      id,
      open,
      ({ decision_id }) => decision_id,
      ({ decision_id, question }) => `${decision_id} ${question}`,
    ).map((decision) => ({
      label: shown(decision.decision_id, 60),
      says: shownQuestion(decision),
      line: `send DECISION ${decision.decision_id} `,
      isWhole: false,
    }));
  }
  const options = open.find((decision) => decision.decision_id === id)?.options ?? [];
  return fits(
    rest,
    options,
    ({ id: name }) => name,
    ({ id: name, label }) => `${name} ${label}`,
  ).map((option) => ({
    ...whole(`send DECISION ${id}`, option.id, shown(option.description ?? '', 200)),
    label: shown(option.label, 60),
  }));
}

/** What fits; where nothing does, the one whose name is nearest: there may be a slip in what is typed. */
function fits<Item>(typed: string, items: readonly Item[], nameOf: (item: Item) => string, textOf = nameOf): Item[] {
  const found = fitting(typed, items, textOf);
  if (found.length > 0) return found;
  const some = items.slice(0, most * 10);
  const near = nearest(typed, some.map(nameOf));
  return some.filter((item) => nameOf(item) === near);
}

function whole(before: string, name: string, says: string): Candidate {
  return { label: shown(name, 60), says, line: `${before} ${name}`, isWhole: true };
}

function isOneWord(name: string): boolean {
  return !/\s/.test(name);
}

/** The first word and what is typed after it; undefined while the word itself is being typed. */
function parted(text: string): [word: string, rest: string | undefined] {
  const end = text.indexOf(' ');
  return end === -1 ? [text, undefined] : [text.slice(0, end), text.slice(end).trimStart()];
}
