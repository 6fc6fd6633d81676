import type { CommandState, SessionState } from '../core/protocol/session-state.ts';
import type { Tone } from './cells.ts';
import { shown } from './text/shown-text.ts';

/** Something that lasted for a while; of what has happened at one moment both times are the same. The text is clean. */
export interface TimelineBar {
  key: string;
  text: string;
  fromMs: number;
  toMs: number;
  /** Whether it goes on. */
  isOpen: boolean;
  tone: Tone;
}

/** What of a session is told in one lane: bars that do not overlap share a row. */
interface TimelineLane {
  title: string;
  rows: readonly (readonly TimelineBar[])[];
}

/** A session over time. */
export interface Timeline {
  fromMs: number;
  toMs: number;
  lanes: readonly TimelineLane[];
}

/** Rows of a lane. What overlaps more than so often shares the last one. */
const mostRows = 16;
/** The part of the whole that a bar has for its text, where the rows suffice for that. */
const textRoom = 0.12;

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000] as const;
/** Lengths of time that people count in, in milliseconds. */
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((each) => each * second),
  ...[1, 2, 5, 10, 15, 30].map((each) => each * minute),
  ...[1, 2, 3, 6, 12].map((each) => each * hour),
  ...[1, 2, 7, 14, 30, 90, 365].map((each) => each * day),
];

/** Times that divide a length into round parts, from 0 on; at most so many of them, or one. In milliseconds. */
export function tickTimes(lengthMs: number, most: number): number[] {
  const step = steps.find((each) => Math.floor(lengthMs / each) < most) ?? lengthMs + 1;
  return Array.from({ length: Math.floor(lengthMs / step) + 1 }, (_, at) => at * step);
}

const tones: ReadonlyMap<string, Tone> = new Map<string, Tone>([
  ['failed', 'bad'],
  ['running', 'active'],
  ['completed', 'good'],
  ['passed', 'good'],
  ['lost', 'warn'],
]);

/** When agents and skills were at work, checks ran, decisions waited and the session was halted. @param nowMs what goes on lasts until then */
export function timelineOf(state: SessionState, nowMs: number): Timeline {
  const fromMs = Date.parse(state.started_at ?? state.created_at);
  const endMs = state.ended_at === null ? nowMs : Date.parse(state.ended_at);
  const toMs = Math.max(fromMs + 1_000, endMs);
  const bar = (key: string, text: string, span: { from: string | null; to: string | null; lastedMs?: number | null }, tone: Tone) =>
    barOf({ key, text: shown(text, 200), tone }, span, { fromMs, toMs });
  const laneOf = (title: string, bars: readonly (TimelineBar | undefined)[]): TimelineLane => lane(title, bars, { fromMs, toMs });
  const lanes = [
    laneOf(
      'Agents',
      state.agents.map((each) =>
        bar(
          each.agent_id,
          each.agent_id,
          { from: each.started_at, to: each.status === 'running' ? null : (each.ended_at ?? each.updated_at), lastedMs: each.duration_ms },
          tones.get(each.status) ?? 'plain',
        ),
      ),
    ),
    laneOf(
      'Skills',
      state.skills.map((each) =>
        each.status === 'pending'
          ? undefined
          : bar(
              each.skill_id,
              each.skill_name,
              { from: each.started_at, to: each.status === 'running' ? null : each.ended_at, lastedMs: each.duration_ms },
              tones.get(each.status) ?? 'plain',
            ),
      ),
    ),
    laneOf(
      'Checks',
      state.validations.map((each) =>
        bar(each.check_name, each.check_name, { from: each.started_at, to: each.ended_at }, tones.get(each.status) ?? 'plain'),
      ),
    ),
    laneOf(
      'Decisions',
      state.decisions.map((each) =>
        bar(
          `${each.decision_id} ${each.seq}`,
          each.choice === null ? each.question : `${each.question}: ${each.choice}`,
          { from: each.asked_at, to: each.made_at },
          each.status === 'open' ? 'warn' : 'strong',
        ),
      ),
    ),
    laneOf(
      'Halts',
      haltsOf(state).map(({ key, from, to, by }) => bar(key, `halted by ${by}`, { from, to }, 'warn')),
    ),
    laneOf(
      'Checkpoints',
      state.checkpoints.map((each) =>
        bar(`${each.seq}`, each.label ?? each.checkpoint_id, { from: each.created_at, to: each.created_at }, 'strong'),
      ),
    ),
  ];
  return { fromMs, toMs, lanes: lanes.filter(({ rows }) => rows.length > 0) };
}

function barOf(
  bar: Pick<TimelineBar, 'key' | 'text' | 'tone'>,
  { from, to, lastedMs = null }: { from: string | null; to: string | null; lastedMs?: number | null },
  whole: { fromMs: number; toMs: number },
): TimelineBar | undefined {
  const end = to === null ? whole.toMs : Date.parse(to);
  // What is told at its end only has no beginning but that of its length.
  const start = from === null || (from === to && lastedMs !== null) ? end - (lastedMs ?? 0) : Date.parse(from);
  if (!Number.isFinite(start) || !Number.isFinite(end)) return undefined;
  const fromMs = Math.max(whole.fromMs, Math.min(start, whole.toMs));
  return { ...bar, fromMs, toMs: Math.max(fromMs, Math.min(end, whole.toMs)), isOpen: to === null };
}

function lane(title: string, bars: readonly (TimelineBar | undefined)[], whole: { fromMs: number; toMs: number }): TimelineLane {
  const sorted = bars.filter((each) => each !== undefined).toSorted((a, b) => a.fromMs - b.fromMs);
  const roomy = rowsOf(sorted, (whole.toMs - whole.fromMs) * textRoom);
  return { title, rows: roomy.length <= mostRows ? roomy : rowsOf(sorted, 0) };
}

/** Bars in rows, none of which begins before the one before it has ended and has had this time for its text. */
function rowsOf(sorted: readonly TimelineBar[], roomMs: number): TimelineBar[][] {
  const rows: TimelineBar[][] = [];
  for (const bar of sorted) {
    const isFree = (last: TimelineBar | undefined): boolean => last === undefined || Math.max(last.toMs, last.fromMs + roomMs) < bar.fromMs;
    const free = rows.find((row) => isFree(row.at(-1))) ?? (roomMs === 0 && rows.length === mostRows ? rows.at(-1) : undefined);
    if (free === undefined) rows.push([bar]);
    else free.push(bar);
  }
  return rows;
}

interface Halt {
  key: string;
  from: string;
  to: string | null;
  by: string;
}

/** From each HALT that was applied to the RESUME that took it back, as far as the ledger goes. */
function haltsOf({ commands, halt, ended_at }: SessionState): Halt[] {
  const halts: Halt[] = [];
  let open: CommandState | undefined;
  for (const command of commands) {
    if (command.status !== 'applied') continue;
    if (command.command_type === 'HALT') open ??= command;
    else if (command.command_type === 'RESUME' && open !== undefined) {
      halts.push(haltBy(open, command.updated_at));
      open = undefined;
    }
  }
  if (open !== undefined) halts.push(haltBy(open, halt === null ? ended_at : null));
  else if (halt !== null) halts.push({ key: 'now', from: halt.since, to: null, by: halt.by ?? 'somebody' });
  return halts;
}

function haltBy({ command_id, updated_at, by }: CommandState, to: string | null): Halt {
  return { key: command_id, from: updated_at, to, by: by ?? 'somebody' };
}
