import { errorTextOf, textField, type Data } from '../../core/fold/fold-values.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { notificationLimits } from '../../core/protocol/limits.ts';
import type { DecisionState, SessionState } from '../../core/protocol/session-state.ts';
import { count as grouped, duration } from '../text/numbers.ts';
import { eventPhrase } from '../text/event-phrase.ts';
import { shortId } from '../agents/agent-session.ts';
import { ranMs } from '../status-line.ts';
import { shown } from '../text/shown-text.ts';

/** An event that is told of, and its session as it is now. */
export interface Occurrence {
  event: SessionEvent;
  state: SessionState;
}

/** What a person is told, for any way of telling. Its texts are clean and short. */
export interface Notification {
  /** The type of the events that it tells of. */
  type: string;
  /** How many they are. */
  count: number;
  title: string;
  lines: string[];
  /** Whether somebody is waited for, or something went wrong. */
  isUrgent: boolean;
}

/** Of what the user of a watch is notified, and how. */
export interface Notifying {
  /** Globs over the types of events. */
  globs: readonly string[];
  withBell: boolean;
  /** Tells the desktop too; gives the reason where it cannot. Absent: it is not asked for. */
  tellDesktop: ((notification: Notification) => Promise<string | undefined>) | undefined;
}

interface Words {
  /** Behind the id of a session. */
  one: (event: SessionEvent) => string;
  /** Before a number. */
  many: string;
  isUrgent: boolean;
  /** What is told of one event. */
  detail: (occurrence: Occurrence) => (string | null)[];
}

const { titleChars, lineChars, optionChars, lines: mostLines } = notificationLimits;

const words: ReadonlyMap<string, Words> = new Map<string, Words>([
  [
    'decision:point',
    {
      one: () => 'asks',
      many: 'decisions to make',
      isUrgent: true,
      detail: ({ event: { data, seq }, state }) => [
        byAgent(data, textField(data, 'question')),
        optionsOf(state.decisions.find((each) => each.seq === seq)),
      ],
    },
  ],
  [
    'agent:waiting',
    {
      one: () => 'waits for you',
      many: 'agents that wait for you',
      isUrgent: true,
      detail: ({ event: { data } }) => [byAgent(data, textField(data, 'message') ?? textField(data, 'reason'))],
    },
  ],
  [
    'execution:halted',
    {
      one: ({ data }) => `halted by ${textField(data, 'initiated_by') ?? 'somebody'}`,
      many: 'halted',
      isUrgent: false,
      detail: ({ event: { data } }) => [textField(data, 'reason')],
    },
  ],
  ['execution:completed', { one: () => 'completed', many: 'completed', isUrgent: false, detail: () => [] }],
  [
    'execution:failed',
    { one: () => 'failed', many: 'failed', isUrgent: true, detail: ({ event: { data } }) => [errorTextOf(data, 'error')] },
  ],
  ['execution:lost', { one: () => 'is lost', many: 'lost', isUrgent: true, detail: ({ event: { data } }) => [textField(data, 'reason')] }],
  [
    'validation:result',
    {
      one: ({ data }) => `check failed: ${textField(data, 'check_name') ?? '?'}`,
      many: 'checks that failed',
      isUrgent: true,
      detail: ({ event: { data } }) => [textField(data, 'message')],
    },
  ],
]);

/**
 * Says one or more events of one type.
 * @param occurrences at least one
 * @param count how many they are in all, where only the first are given
 */
export function notificationOf(occurrences: readonly Occurrence[], count = occurrences.length): Notification {
  const [first, ...others] = occurrences;
  if (first === undefined) throw new RangeError('A notification tells of at least one event');
  const { type } = first.event;
  const said = words.get(type);
  const common = { type, count, isUrgent: said?.isUrgent ?? false };
  if (count === 1 && others.length === 0) {
    const { event, state } = first;
    const lines = [...(said === undefined ? [eventPhrase(event).text] : said.detail(first)), workOf(event, state)];
    return {
      ...common,
      title: shown(`${shortId(event.session_id)} ${said === undefined ? type : said.one(event)}`, titleChars),
      lines: lines.flatMap((line) => (line === null || line === '' ? [] : [shown(line, lineChars)])),
    };
  }
  const named = occurrences
    .slice(0, mostLines)
    .map(({ event }) => shown(`${shortId(event.session_id)} ${eventPhrase(event).text}`, lineChars));
  const more = count - named.length;
  return {
    ...common,
    title: shown(`${said?.many ?? type}: ${grouped(count)}`, titleChars),
    lines: [...named, ...(more > 0 ? [`and ${grouped(more)} more`] : [])],
  };
}

/** What the session is for; of one that has ended, how long it took and what it used. */
function workOf({ type }: SessionEvent, state: SessionState): string {
  const { task, usage, ended_at } = state;
  const hasEnded = ended_at !== null && (type === 'execution:completed' || type === 'execution:failed');
  const tokens = usage.input_tokens + usage.output_tokens;
  const figures = hasEnded
    ? [
        `after ${duration(ranMs(state, 0))}`,
        tokens > 0 ? `${grouped(tokens)} tokens` : '',
        usage.cost_usd > 0 ? `$${usage.cost_usd.toFixed(2)}` : '',
      ]
    : [];
  return [task === null ? '' : `task: ${task}`, figures.filter((each) => each !== '').join(', ')].filter((each) => each !== '').join('; ');
}

/** `reviewer: Migrate now?` */
function byAgent(data: Data, said: string | null): string {
  return [textField(data, 'agent_id'), said].filter((each) => each !== null).join(': ');
}

function optionsOf(decision: DecisionState | undefined): string | null {
  if (decision === undefined) return null;
  const { options } = decision;
  const labels = options.slice(0, mostLines).map(({ label }) => `[${shown(label, optionChars)}]`);
  return `${labels.join(' ')}${options.length > labels.length ? ' ...' : ''}`;
}
