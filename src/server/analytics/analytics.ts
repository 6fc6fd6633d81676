import type { SessionState } from '../../core/protocol/session-state.ts';
import { byFinalStatus, finalStatuses } from '../../core/protocol/command-status.ts';
import { mostRows, type Analytics, type AnalyticsQuery, type AnalyticsRow } from '../../core/rollup/analytics-api.ts';
import type { AnalyticsKey } from '../../core/rollup/analytics-keys.ts';
import { withTimeUntil } from '../../core/rollup/fold-rollup.ts';
import type { DayRollup, Used } from '../../core/rollup/rollup.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { agentOf } from '../../view/agents/agent-session.ts';
import { nextTurn } from '../turns.ts';
import { EndTally, Tally } from './tally.ts';

/** What stands for what nobody has named. */
const unnamed = '-';
/** Sessions that are summed up in one turn of the event loop. */
const sessionsPerTurn = 500;
const mostSkills = 10;

/** The part of a session's state that analytics are made of. */
export type RolledUp = Pick<SessionState, 'session_id' | 'folder' | 'model' | 'labels' | 'lost' | 'rollup'>;

/** Sums up the rollups of sessions. No event is read. */
export async function analyticsOf(sessions: Iterable<RolledUp>, { by, since, until }: AnalyticsQuery): Promise<Analytics> {
  const sums = new Sums(by);
  const now = timestampNow();
  const isIn = (day: string) => (since === undefined || day >= since) && (until === undefined || day <= until);
  let count = 0;
  for (const session of sessions) {
    if (++count % sessionsPerTurn === 0) await nextTurn();
    for (const day of withTimeUntil(session.rollup, now).days) if (isIn(day.day)) sums.add(session, day);
    const lostOn = session.lost?.since.slice(0, 10);
    if (lostOn !== undefined && isIn(lostOn)) sums.addLost(session, lostOn);
  }
  return { by, since: since ?? null, until: until ?? null, ...sums.answer() };
}

class Sums {
  readonly #by: AnalyticsKey;
  readonly #total = new Tally();
  readonly #rows = new Map<string, Tally>();
  readonly #skills = new Map<string, EndTally>();
  readonly #commands = new Map<string, Analytics['commands'][number]>();

  constructor(by: AnalyticsKey) {
    this.#by = by;
  }

  add(session: RolledUp, day: DayRollup): void {
    this.#total.addSession(session.session_id).addDay(day);
    this.#total.addUsed(day);
    for (const { name, ...ends } of day.skills) tallyOf(this.#skills, name, () => new EndTally()).addEnds(ends);
    for (const command of day.commands) this.#addCommand(command);
    if (this.#by === 'skill') {
      for (const { name, ...ends } of day.skills) this.#row(name, session).addEnds(ends);
      return;
    }
    const row = this.#row(keyOf(this.#by, session, day.day), session);
    row.addDay(day);
    if (this.#by === 'model') this.#addModels(session, day, row);
    else row.addUsed(day);
    if (this.#by === 'agent') for (const { name, ...ends } of day.roles) this.#row(name, session).addEnds(ends);
  }

  addLost(session: RolledUp, day: string): void {
    this.#total.addSession(session.session_id).addLost();
    if (this.#by !== 'skill') this.#row(keyOf(this.#by, session, day), session).addLost();
  }

  answer(): Omit<Analytics, 'by' | 'since' | 'until'> {
    const rows = [...this.#rows].map(([key, tally]): AnalyticsRow => ({ key, ...tally.figures() }));
    const sorted = rows.toSorted(this.#by === 'day' ? byNewestDay : byMost);
    const skills = [...this.#skills].map(([skill, tally]) => ({ skill, ...tally.ends() }));
    return {
      total: this.#total.figures(),
      rows: sorted.slice(0, mostRows),
      left_out: Math.max(0, sorted.length - mostRows),
      slowest_skills: skills
        .filter(({ duration_p95_ms }) => duration_p95_ms !== null)
        .toSorted((a, b) => (b.duration_p95_ms ?? 0) - (a.duration_p95_ms ?? 0))
        .slice(0, mostSkills),
      failing_skills: skills
        .filter(({ failed }) => failed > 0)
        .toSorted((a, b) => b.failed - a.failed || (b.failure_rate ?? 0) - (a.failure_rate ?? 0))
        .slice(0, mostSkills),
      commands: [...this.#commands.values()],
    };
  }

  #row(key: string, { session_id }: RolledUp): Tally {
    return tallyOf(this.#rows, key, () => new Tally()).addSession(session_id);
  }

  /** What no report says the model of is that of the session's own. */
  #addModels(session: RolledUp, day: DayRollup, row: Tally): void {
    const left: Used = { input_tokens: day.input_tokens, output_tokens: day.output_tokens, cost_usd: day.cost_usd };
    for (const { name, ...used } of day.models) {
      this.#row(name, session).addUsed(used);
      left.input_tokens -= used.input_tokens;
      left.output_tokens -= used.output_tokens;
      left.cost_usd = Math.max(0, left.cost_usd - used.cost_usd);
    }
    row.addUsed(left);
  }

  #addCommand(command: DayRollup['commands'][number]): void {
    const sum = tallyOf(this.#commands, command.command_type, () => ({
      command_type: command.command_type,
      ...byFinalStatus(() => 0),
    }));
    for (const outcome of finalStatuses) sum[outcome] += command[outcome];
  }
}

function keyOf(by: Exclude<AnalyticsKey, 'skill'>, session: RolledUp, day: string): string {
  if (by === 'day') return day;
  return (by === 'agent' ? agentOf(session) : session[by]) ?? unnamed;
}

function tallyOf<Kind>(tallies: Map<string, Kind>, key: string, make: () => Kind): Kind {
  let tally = tallies.get(key);
  if (tally === undefined) tallies.set(key, (tally = make()));
  return tally;
}

function byNewestDay(a: AnalyticsRow, b: AnalyticsRow): number {
  return a.key < b.key ? 1 : -1;
}

function byMost(a: AnalyticsRow, b: AnalyticsRow): number {
  const ended = ({ completed, failed, lost }: AnalyticsRow) => completed + failed + lost;
  return ended(b) - ended(a) || b.sessions - a.sessions || (a.key < b.key ? -1 : 1);
}
