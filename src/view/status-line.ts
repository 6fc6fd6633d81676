import { isEnded, type SessionState, type SessionStatus } from '../core/protocol/session-state.ts';
import { count, duration, durationSince } from './text/numbers.ts';
import type { Glyphs } from './text/glyphs.ts';
import type { Style } from './style.ts';
import type { Span, Tone } from './cells.ts';
import { shown } from './text/shown-text.ts';
import type { ViewModel } from './view-model.ts';

const statusWords: Record<SessionStatus, { glyph: keyof Glyphs; word: string; tone: Tone }> = {
  created: { glyph: 'pending', word: 'WAITING', tone: 'plain' },
  running: { glyph: 'running', word: 'RUNNING', tone: 'active' },
  halting: { glyph: 'waiting', word: 'HALTING', tone: 'warn' },
  halted: { glyph: 'waiting', word: 'HALTED', tone: 'warn' },
  lost: { glyph: 'away', word: 'LOST', tone: 'bad' },
  completed: { glyph: 'done', word: 'COMPLETED', tone: 'good' },
  failed: { glyph: 'failed', word: 'FAILED', tone: 'bad' },
};

/** Sign and word of a status. */
export function statusSpan(status: SessionStatus, style: Style): Span {
  const { glyph, word, tone } = statusWords[status];
  return { text: `${style.glyphs[glyph]} ${word}`, tone };
}

/** Milliseconds that a session has run, up to its end or now. */
export function ranMs(state: SessionState, nowMs: number): number {
  const from = Date.parse(state.started_at ?? state.created_at);
  const to = state.ended_at === null ? nowMs : Date.parse(state.ended_at);
  return Number.isFinite(to - from) ? Math.max(0, to - from) : 0;
}

/** Whether the session's orchestrator is gone while the session goes on. The work itself may go on too. */
export function hasLostOrchestrator(state: SessionState): boolean {
  return state.orchestrator !== null && !state.orchestrator.attached && !isEnded(state.status);
}

/** Whether the attached orchestrator says that it can roll back. The answer to a ROLLBACK tells for sure. */
export function takesRollbacks({ orchestrator }: SessionState): boolean {
  return orchestrator?.attached === true && orchestrator.capabilities.includes('ROLLBACK');
}

/** How the session is, in sentences, the most pressing first. */
export function statusLine({ state, style, missed, wallMs }: Pick<ViewModel, 'state' | 'style' | 'missed' | 'wallMs'>): Span[] {
  const sentences: Span[] = [];
  if (missed !== null && wallMs - missed.sinceMs < 60_000) {
    sentences.push({
      text:
        missed.events === null ? '! another journal than before: what was seen is gone there' : `! ${count(missed.events)} events missed`,
      tone: 'bad',
    });
  }
  if (state === undefined) return sentences;
  const halt = state.halt;
  if (state.status === 'halting') sentences.push({ text: haltingSentence(state), tone: 'warn' });
  if (state.status === 'halted' && halt !== null) {
    const reason = halt.reason === null ? '' : `: ${shown(halt.reason, 200)}`;
    sentences.push({
      text: `halted by ${shown(halt.by ?? 'somebody', 60)} ${durationSince(halt.since, style.nowMs)} ago${reason}`,
      tone: 'warn',
    });
  }
  if (hasLostOrchestrator(state)) {
    sentences.push({ text: goneSentence(state, style), tone: 'bad' });
  } else if (state.lost !== null) sentences.push({ text: silentSentence(state, style), tone: 'bad' });
  if (state.status === 'failed') sentences.push({ text: state.error === null ? 'failed' : `failed: ${shown(state.error)}`, tone: 'bad' });
  if (state.status === 'completed') sentences.push({ text: resultSentence(state), tone: 'good' });
  if (state.status === 'running' && state.message !== null) sentences.push({ text: shown(state.message), tone: 'plain' });
  if (sentences.length === 0 && state.task !== null) sentences.push({ text: shown(state.task) });
  return sentences;
}

/** How long ago the program of a session went that goes on. Whether the work goes on, nobody knows: it is never said to have stopped. */
export function goneSentence({ orchestrator }: SessionState, style: Style): string {
  return `the program is gone without a word, last seen ${durationSince(orchestrator?.last_seen ?? null, style.nowMs)} ago`;
}

/** For how long no event of a lost session has come. */
export function silentSentence({ ended_at }: SessionState, style: Style): string {
  return `nothing heard of it for ${durationSince(ended_at, style.nowMs)}`;
}

/** How far a HALT has come: sent, delivered, by whom. */
function haltingSentence(state: SessionState): string {
  const command = state.commands.findLast((each) => each.command_type === 'HALT');
  const by = shown(state.halt?.by ?? command?.by ?? 'somebody', 60);
  if (command?.status === 'delivered') return `HALT by ${by}: sent > delivered > waiting for the next safe point`;
  return `HALT by ${by}: sent > not delivered yet`;
}

function resultSentence(state: SessionState): string {
  if (typeof state.result === 'string' && state.result !== '') return `completed: ${shown(state.result)}`;
  return `completed in ${duration(ranMs(state, 0))}`;
}

/** The connection in words, with sign. */
export function connectionSpan(model: ViewModel, isShort = false): Span {
  const { connection, style, lastEventMs, wallMs, url, catchingUp } = model;
  const { live, away, failed, arrow } = style.glyphs;
  const lastEvent = lastEventMs === null || isShort ? '' : ` (last event ${duration(wallMs - lastEventMs)} ago)`;
  switch (connection.status) {
    case 'live': {
      if (catchingUp !== null) return { text: `${live} replaying ${count(catchingUp.from)}${arrow}${count(catchingUp.to)}`, tone: 'warn' };
      return { text: `${live} live${connection.latencyMs === null ? '' : ` ${Math.round(connection.latencyMs)}ms`}`, tone: 'good' };
    }
    case 'connecting':
      return {
        text: `${away} connecting${isShort ? '' : ` to ${shown(url, 100)}`}${connection.attempt > 1 ? ` (try ${connection.attempt})` : ''}`,
        tone: 'warn',
      };
    case 'reconnecting': {
      const wait = connection.retryAt === null ? '' : ` in ${duration(Math.max(0, connection.retryAt - wallMs + 999))}`;
      return { text: `${away} reconnecting ${connection.attempt}${wait}${lastEvent}`, tone: 'bad' };
    }
    case 'closed':
      return { text: `${failed} refused: ${shown(connection.error ?? 'connection closed', 200)}`, tone: 'bad' };
  }
}
