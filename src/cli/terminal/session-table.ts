import type { ListedSession } from '../../core/http-answers.ts';
import { safeLine } from '../../core/text/safe-text.ts';
import { isLive, type SessionStatus } from '../../core/protocol/session-state.ts';
import { durationSince } from '../../view/text/numbers.ts';
import type { Output, Tone } from './output.ts';
import { tableLines } from './table.ts';

const tones: Record<SessionStatus, Tone> = {
  created: 'plain',
  running: 'good',
  halting: 'warn',
  halted: 'warn',
  lost: 'bad',
  completed: 'plain',
  failed: 'bad',
};

/** Sessions as a table. @param nowMs by the server's clock */
export async function sessionTable(sessions: readonly ListedSession[], nowMs: number, output: Output): Promise<string[]> {
  const rows = sessions.map(({ session_id, status, progress, watchers, orchestrator, open_decisions, current_skill, updated_at, seq }) => [
    session_id,
    { text: status, tone: Object.hasOwn(tones, status) ? tones[status] : 'plain' },
    progress === null ? '-' : `${Math.round(progress)}%`,
    String(seq),
    String(watchers),
    orchestrator === null || (!orchestrator.attached && !isLive(status))
      ? '-'
      : orchestrator.attached
        ? safeLine(orchestrator.instance_id ?? 'attached', 30)
        : { text: 'lost', tone: 'warn' as const },
    open_decisions > 0 ? { text: String(open_decisions), tone: 'warn' as const } : '-',
    `${durationSince(updated_at, nowMs)} ago`,
    safeLine(current_skill ?? '-', 40),
  ]);
  return tableLines(['SESSION', 'STATUS', 'DONE', 'EVENTS', 'WATCHERS', 'ORCHESTRATOR', 'DECISIONS', 'CHANGED', 'SKILL'], rows, output);
}
