import type { ListedSession } from '../../core/http-answers.ts';
import { safeLine } from '../../core/text/safe-text.ts';
import { isLive, type SessionStatus } from '../../core/protocol/session-state.ts';
import { count, duration, durationSince } from '../../view/text/numbers.ts';
import type { Output, Tone } from './output.ts';
import { tableLines, type Cell } from './table.ts';

const tones: Record<SessionStatus, Tone> = {
  created: 'plain',
  running: 'good',
  halting: 'warn',
  halted: 'warn',
  lost: 'bad',
  completed: 'plain',
  failed: 'bad',
};

/** The columns of a list of sessions. One in which no session has anything is left out. */
const columns: readonly { head: string; cell: (session: ListedSession, nowMs: number) => Cell | string }[] = [
  { head: 'SESSION', cell: ({ session_id }) => session_id },
  { head: 'STATUS', cell: ({ status }) => ({ text: status, tone: Object.hasOwn(tones, status) ? tones[status] : 'plain' }) },
  { head: 'EXIT', cell: ({ exit_code }) => (exit_code === null ? '' : String(exit_code)) },
  { head: 'DONE', cell: ({ progress, status }) => (progress === null || status === 'completed' ? '' : `${Math.round(progress)}%`) },
  { head: 'ASKS', cell: ({ open_decisions }) => (open_decisions === 0 ? '' : { text: String(open_decisions), tone: 'warn' }) },
  { head: 'STARTED', cell: ({ started_at, created_at }, nowMs) => `${durationSince(started_at ?? created_at, nowMs)} ago` },
  { head: 'TOOK', cell: took },
  { head: 'WATCHERS', cell: ({ watchers }) => (watchers === 0 ? '' : String(watchers)) },
  { head: 'TOKENS', cell: ({ tokens }) => (tokens === null ? '' : count(tokens)) },
  { head: 'COST', cell: ({ cost_usd }) => (cost_usd === null || cost_usd === 0 ? '' : `$${cost_usd.toFixed(2)}`) },
  { head: 'FOLDER', cell: ({ folder }) => safeLine(folder ?? '', 24) },
  { head: 'BRANCH', cell: ({ branch }) => safeLine(branch ?? '', 24) },
  { head: 'USER', cell: ({ user }) => safeLine(user ?? '', 16) },
  { head: 'PROGRAM', cell: orchestratorCell },
  { head: 'LABELS', cell: ({ labels }) => safeLine(labels.join(','), 30) },
  { head: 'TASK', cell: ({ task, current_skill, status }) => safeLine((isLive(status) ? current_skill : null) ?? task ?? '', 60) },
];

/** The columns that are left out first on a terminal that is too narrow for all. */
const leastTelling = ['WATCHERS', 'USER', 'LABELS', 'PROGRAM', 'BRANCH', 'TOKENS', 'FOLDER', 'COST', 'TOOK', 'DONE', 'EXIT'];
/** So much of the last column is to be seen before another one is. */
const leastTask = 16;

/** Sessions as a table. On a terminal it is no wider than that. @param nowMs by the server's clock */
export async function sessionTable(sessions: readonly ListedSession[], nowMs: number, output: Output): Promise<string[]> {
  const rows = sessions.map((session) => columns.map(({ cell }) => cell(session, nowMs)));
  const isUsed = columns.map((_, column) => rows.some((row) => row[column] !== ''));
  const textOf = (cell: Cell | string | undefined) => (typeof cell === 'object' ? cell.text : (cell ?? ''));
  const widthOf = (at: number) => {
    const widest = Math.max(columns[at]?.head.length ?? 0, ...rows.map((row) => textOf(row[at]).length));
    return at === columns.length - 1 ? Math.min(widest, leastTask) : widest;
  };
  const window = output.window?.columns ?? Infinity;
  for (const head of leastTelling) {
    const width = columns.reduce((sum, _, at) => sum + (isUsed[at] === true ? widthOf(at) + 2 : 0), -2);
    if (width <= window) break;
    isUsed[columns.findIndex((column) => column.head === head)] = false;
  }
  const used = <Of>(all: readonly Of[]) => all.filter((_, column) => isUsed[column]);
  return tableLines(
    used(columns).map(({ head }) => head),
    rows.map((row) => used(row).map((cell) => (cell === '' ? '-' : cell))),
    output,
  );
}

function took({ started_at, ended_at, status }: ListedSession, nowMs: number): string {
  const from = Date.parse(started_at ?? '');
  if (Number.isNaN(from) || (ended_at === null && !isLive(status))) return '';
  return duration((ended_at === null ? nowMs : Date.parse(ended_at)) - from);
}

/** Who carries out the commands of a session that goes on. */
function orchestratorCell({ orchestrator, status }: ListedSession): Cell | string {
  if (orchestrator === null || (!orchestrator.attached && !isLive(status))) return '';
  return orchestrator.attached ? safeLine(orchestrator.instance_id ?? 'attached', 30) : { text: 'lost', tone: 'warn' };
}
