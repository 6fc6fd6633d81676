import { sum } from '../fold/fold-values.ts';
import type { SessionEvent } from '../protocol/event.ts';
import { byFinalStatus, finalStatuses, type FinalStatus } from '../protocol/command-status.ts';
import { foldLimits } from '../protocol/limits.ts';
import { isEnded, isLive, type AgentState, type SessionState } from '../protocol/session-state.ts';
import { bounded } from './rollup-bounds.ts';
import { withLength } from './lengths.ts';
import { others, type DayRollup, type Ends, type Phase, type Rollup, type Used } from './rollup.ts';

const dayMs = 86_400_000;

/**
 * The rollup after one more event, by what it has changed in the state: the lists of the state are bounded and let go of old items,
 * while each end is counted once, when it is told.
 */
export function foldRollup(before: SessionState, after: SessionState, event: SessionEvent): Rollup {
  const { type, timestamp } = event;
  if (!changesRollup(before, after, type)) return before.rollup;
  let { rollup } = before;
  const on = (change: (day: DayRollup) => Partial<DayRollup>) => void (rollup = withDay(rollup, timestamp.slice(0, 10), change));
  const phase = phaseOf(after);
  if (phase !== rollup.phase) rollup = { ...withTimeUntil(rollup, timestamp), phase, since: phase === null ? null : timestamp };
  if (type === 'execution:started') on(({ started }) => ({ started: started + 1 }));
  if (isEnded(after.status) && !isEnded(before.status)) {
    const hasFailed = after.status === 'failed';
    on((day) => withEnd(day, hasFailed, lengthOf(after.started_at, after.ended_at)));
  }
  if (type === 'decision:made' && before.decisions !== after.decisions) {
    const made = after.decisions.find((each, at) => each.status === 'made' && before.decisions[at]?.status === 'open');
    const waited = made && lengthOf(made.asked_at, made.made_at);
    if (made !== undefined)
      on((day) => ({ decisions: day.decisions + 1, decision_lengths: lengthened(day.decision_lengths, waited ?? null) }));
  }
  const ended = commandEnd(before, after, event);
  if (ended !== undefined) on((day) => ({ commands: withCommand(day.commands, ended) }));
  if (before.skill_usage !== after.skill_usage) on((day) => ({ skills: withSkill(day.skills, before, after) }));
  const agent = agentThatEnded(before, after, event);
  if (agent !== undefined) {
    on((day) => ({ roles: withNamedEnd(day.roles, agent.role ?? 'agent', agent.status === 'failed', agent.duration_ms) }));
  }
  if (before.usage !== after.usage) on((day) => withUsage(day, before, after));
  return rollup;
}

/** The rollup with the time of what goes on, up to a moment. */
export function withTimeUntil(rollup: Rollup, until: string): Rollup {
  const { phase, since } = rollup;
  const [from, to] = [Date.parse(since ?? ''), Date.parse(until)];
  // A clock that was set back takes no time away.
  if (phase === null || !(from < to)) return rollup;
  let next = rollup;
  const field = `${phase}_ms` as const;
  // Of what goes on for longer than days are kept, only those days count.
  for (let at = Math.max(from, to - foldLimits.rollupDays * dayMs); at < to;) {
    const end = Math.min(to, (Math.floor(at / dayMs) + 1) * dayMs);
    const ms = end - at;
    next = withDay(next, new Date(at).toISOString().slice(0, 10), (day) => ({ [field]: sum(day[field], ms) }));
    at = end;
  }
  return next;
}

/** Nearly all events change nothing here. */
function changesRollup(before: SessionState, after: SessionState, type: string): boolean {
  return (
    before.status !== after.status ||
    before.decisions !== after.decisions ||
    before.waiting !== after.waiting ||
    before.skill_usage !== after.skill_usage ||
    before.usage !== after.usage ||
    before.commands !== after.commands ||
    type === 'execution:started' ||
    type === 'agent:completed'
  );
}

function phaseOf({ status, halt, decisions, waiting }: SessionState): Phase | null {
  if (!isLive(status) || status === 'created') return null;
  if (status === 'halted' && halt !== null) return 'halted';
  return waiting !== null || decisions.some((each) => each.status === 'open') ? 'waiting' : 'working';
}

function withDay(rollup: Rollup, day: string, change: (day: DayRollup) => Partial<DayRollup>): Rollup {
  const at = rollup.days.findLastIndex((each) => each.day <= day);
  const known = rollup.days[at];
  const before = known?.day === day ? known : noDay(day);
  const changed = { ...before, ...change(before) };
  if (before === known) return { ...rollup, days: rollup.days.with(at, changed) };
  return { ...rollup, days: bounded(rollup.days.toSpliced(at + 1, 0, changed).slice(-foldLimits.rollupDays)) };
}

function noDay(day: string): DayRollup {
  return {
    day,
    started: 0,
    completed: 0,
    failed: 0,
    lengths: [],
    working_ms: 0,
    halted_ms: 0,
    waiting_ms: 0,
    decisions: 0,
    decision_lengths: [],
    commands: [],
    input_tokens: 0,
    output_tokens: 0,
    cost_usd: 0,
    skills: [],
    roles: [],
    models: [],
  };
}

function withEnd<Kind extends Ends>(ends: Kind, hasFailed: boolean, ms: number | null): Kind {
  const count = hasFailed ? { failed: ends.failed + 1 } : { completed: ends.completed + 1 };
  return { ...ends, ...count, lengths: lengthened(ends.lengths, ms) };
}

function lengthened(lengths: Ends['lengths'], ms: number | null): Ends['lengths'] {
  return ms === null ? lengths : withLength(lengths, ms);
}

function lengthOf(from: string | null, to: string | null): number | null {
  const ms = from === null || to === null ? Number.NaN : Date.parse(to) - Date.parse(from);
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** The items with that of this name changed. A new name beyond the limit is counted among the others. */
function named<Item extends { name: string }>(
  items: readonly Item[],
  name: string,
  none: Omit<Item, 'name'>,
  change: (item: Item) => Item,
): Item[] {
  const known = items.findIndex((each) => each.name === name);
  const isTooMany = known === -1 && items.length >= foldLimits.rollupNames && name !== others;
  const at = isTooMany ? items.findIndex((each) => each.name === others) : known;
  const item = items[at] ?? ({ ...none, name: isTooMany ? others : name } as Item);
  return at === -1 ? [...items, change(item)] : items.with(at, change(item));
}

function withNamedEnd<Item extends Ends & { name: string }>(
  items: readonly Item[],
  name: string,
  hasFailed: boolean,
  ms: number | null,
): Item[] {
  const none = { completed: 0, failed: 0, lengths: [] } as unknown as Omit<Item, 'name'>;
  return named(items, name, none, (item) => withEnd(item, hasFailed, ms));
}

type CommandEnd = { command_type: DayRollup['commands'][number]['command_type']; outcome: FinalStatus };

/** A command that has ended by this event. */
function commandEnd(before: SessionState, after: SessionState, { type, data }: SessionEvent): CommandEnd | undefined {
  if (before.commands === after.commands) return undefined;
  const outcome = finalStatuses.find((each) => type === `command:${each}`);
  const command = after.commands.findLast((each) => each.command_id === data['command_id']);
  return outcome === undefined || command === undefined ? undefined : { command_type: command.command_type, outcome };
}

function withCommand(commands: DayRollup['commands'], { command_type, outcome }: CommandEnd): DayRollup['commands'] {
  const at = commands.findIndex((each) => each.command_type === command_type);
  const before = commands[at] ?? { command_type, ...byFinalStatus(() => 0) };
  const changed = { ...before, [outcome]: before[outcome] + 1 };
  return at === -1 ? [...commands, changed] : commands.with(at, changed);
}

/** By what the counts of the state have become: one skill by one event. */
function withSkill(skills: DayRollup['skills'], before: SessionState, after: SessionState): DayRollup['skills'] {
  const at = after.skill_usage.findIndex((each, index) => each !== before.skill_usage[index]);
  const [now, then] = [after.skill_usage[at], before.skill_usage[at]];
  if (now === undefined || now.started !== (then?.started ?? 0)) return skills;
  const hasFailed = now.failed !== (then?.failed ?? 0);
  const isTimed = now.durations !== (then?.durations ?? 0);
  const ms = isTimed ? Math.round((now.duration_s - (then?.duration_s ?? 0)) * 1_000) : null;
  return withNamedEnd(skills, now.skill_name, hasFailed, ms);
}

function agentThatEnded(before: SessionState, after: SessionState, { type, data }: SessionEvent): AgentState | undefined {
  if (type !== 'agent:completed') return undefined;
  const isIt = (each: AgentState) => each.agent_id === data['agent_id'];
  const agent = after.agents.findLast(isIt);
  const known = before.agents.findLast(isIt);
  // What is told twice counts once.
  return known !== undefined && (known.status === 'completed' || known.status === 'failed') ? undefined : agent;
}

function withUsage(day: DayRollup, before: SessionState, after: SessionState): Partial<DayRollup> {
  const told = difference(before.usage, after.usage);
  const at = after.usage_by_model.findIndex((each, index) => each !== before.usage_by_model[index]);
  const model = after.usage_by_model[at];
  if (before.usage_by_model === after.usage_by_model || model === undefined) return added(day, told);
  const models = named(day.models, model.model, { input_tokens: 0, output_tokens: 0, cost_usd: 0 }, (each) => ({
    ...each,
    ...added(each, told),
  }));
  return { ...added(day, told), models };
}

function difference(before: Used, after: Used): Used {
  const of = (field: keyof Used) => Math.max(0, after[field] - before[field]);
  return { input_tokens: of('input_tokens'), output_tokens: of('output_tokens'), cost_usd: of('cost_usd') };
}

function added(to: Used, used: Used): Used {
  return {
    input_tokens: sum(to.input_tokens, used.input_tokens),
    output_tokens: sum(to.output_tokens, used.output_tokens),
    cost_usd: sum(to.cost_usd, used.cost_usd),
  };
}
