import { isLoopback } from '../../core/loopback.ts';
import { isLive, type SessionStatus } from '../../core/protocol/known-words.ts';
import { meantSession } from '../../core/protocol/meant-session.ts';
import type { ValueKind } from '../command-definition.ts';
import type { Address } from './address.ts';
import type { Candidate } from './candidate.ts';
import type { CommandLine } from './command-line.ts';
import { fieldsIn, itemsOf, textOf, type Fields } from './fields.ts';
import { ServerSource } from './server-source.ts';
import type { Source } from './source.ts';

/** The kinds of values that only a server, or its journal, knows. */
export type LiveKind = Extract<ValueKind, 'session' | 'decision' | 'choice' | 'checkpoint' | 'skill' | 'command'>;

/**
 * The values of a kind: from the server, or from the local journal where nothing listens at an address of this machine.
 * @throws whatever keeps them from being had
 */
export async function liveValues(kind: LiveKind, line: CommandLine, address: Address): Promise<Candidate[]> {
  try {
    return await valuesFrom(new ServerSource(address), kind, line, address);
  } catch (error) {
    const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
    if (!isRefused || !isLoopback(address.url.hostname) || address.journal === undefined) throw error;
    const { JournalSource } = await import('./journal-source.ts');
    const journal = await JournalSource.open(address.journal);
    if (journal === undefined) return [];
    try {
      return await valuesFrom(journal, kind, line, address);
    } finally {
      journal.close();
    }
  }
}

async function valuesFrom(source: Source, kind: LiveKind, line: CommandLine, address: Address): Promise<Candidate[]> {
  if (kind === 'session') return sessionValues(await source.sessions());
  const state = async () => {
    const session = address.session ?? meant(await source.sessions());
    return session === undefined ? undefined : source.state(session);
  };
  if (kind !== 'skill') return stateValues[kind](await state(), line);
  const [known, own] = await Promise.all([source.skills(), state()]);
  return [
    ...named(known, 'name', (each) => [textOf(each, 'description')]),
    ...named(itemsOf(own, 'skills'), 'skill_name', (each) => [textOf(each, 'status')]),
  ];
}

/** The live ones first. */
function sessionValues(sessions: readonly Fields[]): Candidate[] {
  const ordered = [...sessions.filter(isLiveSession), ...sessions.filter((each) => !isLiveSession(each))];
  return named(ordered, 'session_id', (each) => [textOf(each, 'status'), textOf(each, 'task') ?? textOf(each, 'current_skill')]);
}

/** The session that a command means which names none; the last one where none is live, as commands that only look have it. */
function meant(sessions: readonly Fields[]): string | undefined {
  const live = sessions.filter(isLiveSession).map((session) => ({
    session,
    orchestrator: { attached: fieldsIn(session, 'orchestrator')?.['attached'] === true },
    producers: Number(session['producers']),
  }));
  return textOf(live.length === 0 ? sessions[0] : meantSession(live)?.session, 'session_id');
}

function isLiveSession(session: Fields): boolean {
  return isLive((textOf(session, 'status') ?? 'lost') as SessionStatus);
}

const stateValues: Record<Exclude<LiveKind, 'session' | 'skill'>, (state: Fields | undefined, line: CommandLine) => Candidate[]> = {
  decision: (state) => named(openDecisions(state), 'decision_id', (each) => [textOf(each, 'question')]),
  choice: (state, { given }) => {
    const open = openDecisions(state);
    const asked = given.get('decision')?.at(-1);
    const decision = asked === undefined && open.length === 1 ? open[0] : open.find((each) => textOf(each, 'decision_id') === asked);
    return named(itemsOf(decision, 'options'), 'id', (each) => [
      textOf(each, 'label') === textOf(each, 'id') ? undefined : textOf(each, 'label'),
      each['recommended'] === true ? 'recommended' : undefined,
      textOf(each, 'description'),
    ]);
  },
  checkpoint: (state) =>
    named(itemsOf(state, 'checkpoints').toReversed(), 'checkpoint_id', (each) => [textOf(each, 'label'), textOf(each, 'created_at')]),
  command: (state) =>
    named(itemsOf(state, 'commands').toReversed(), 'command_id', (each) => [textOf(each, 'command_type'), textOf(each, 'status')]),
};

function openDecisions(state: Fields | undefined): Fields[] {
  return itemsOf(state, 'decisions').filter((each) => each['status'] === 'open');
}

/** A candidate of each object that has a text in that field, described by those parts that are there. */
function named(items: readonly Fields[], field: string, partsOf: (item: Fields) => (string | undefined)[]): Candidate[] {
  return items.flatMap((each) => {
    const value = textOf(each, field);
    const parts = partsOf(each).filter((part) => part !== undefined);
    return value === undefined ? [] : { value, description: parts.join(', ') };
  });
}
