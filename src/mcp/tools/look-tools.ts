import { z } from 'zod';
import { eventTypes } from '../../core/event-filter.ts';
import type { ListedSession } from '../../core/http-answers.ts';
import { sessionStatuses } from '../../core/protocol/known-words.ts';
import { mcpLimits } from '../../core/protocol/limits.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { isLive, type SessionState } from '../../core/protocol/session-state.ts';
import { cursorText, eventsAfter, placeOf } from '../cursor.ts';
import { fitting, shortened } from '../shortened.ts';
import { cursorInput, readOnly, sessionInput, tool } from '../tool.ts';

const status = z.string().describe(`One of: ${sessionStatuses.join(', ')}.`);
const cursor = z.string().describe('Hand it back as `after` to go on from here.');

export const listSessions = tool({
  name: 'list_sessions',
  title: 'List sessions',
  description:
    'Lists the sessions of this server (agents and programs that are watched), those that changed last first: status, task, progress, ' +
    'open questions, whether its program is attached.',
  annotations: readOnly,
  input: z.object({
    status: z
      .enum(['live', ...sessionStatuses])
      .optional()
      .describe('Only those; `live`: neither ended nor lost.'),
    limit: z.int().min(1).max(mcpLimits.sessions).default(30),
    cursor: z.string().max(400).optional().describe('`next_cursor` of the answer before.'),
  }),
  facts: z.object({
    total: z.number().describe('How many there are with this status.'),
    next_cursor: z.string().nullable().describe('For the following ones; null: these were the last.'),
  }),
  async run({ status: wanted, limit, cursor: from }, { calls }) {
    const all = (await calls.sessions())
      .filter((each) => wanted === undefined || (wanted === 'live' ? isLive(each.status) : each.status === wanted))
      .toSorted((one, other) => (placeInList(one) < placeInList(other) ? 1 : -1));
    const rest = from === undefined ? all : all.filter((each) => placeInList(each) < from);
    const rows = fitting(rest.slice(0, limit).map(rowOf), mcpLimits.answerBytes - 500);
    const last = rest[rows.length - 1];
    const next = rows.length < rest.length && last !== undefined ? placeInList(last) : null;
    return { facts: { total: all.length, next_cursor: next }, sessionData: { sessions: rows } };
  },
});

function placeInList({ updated_at, session_id }: ListedSession): string {
  return `${updated_at} ${session_id}`;
}

function rowOf({ session_id, status, task, current_skill, progress, updated_at, open_decisions, orchestrator }: ListedSession) {
  const attached = orchestrator?.attached ?? false;
  const row = { session_id, status, task, current_skill, progress, updated_at, open_decisions, attached };
  return shortened(row, mcpLimits.eventBytes).value;
}

export const getSession = tool({
  name: 'get_session',
  title: 'Look at a session',
  description:
    'Tells the state of one session now: status, task, progress, steps, agents, files that changed, open and answered questions, checks, ' +
    'commands, tokens and cost. Long lists keep their newest entries.',
  annotations: readOnly,
  input: z.object({ session: sessionInput }),
  facts: z.object({
    session: z.string(),
    status,
    open_decisions: z.number(),
    attached: z.boolean().describe('Whether a program is there that carries commands out.'),
    cursor,
  }),
  async run({ session }, { calls }) {
    const { epoch, ...state } = await calls.session(session);
    return {
      facts: {
        session,
        status: state.status,
        open_decisions: state.decisions.filter((each) => each.status === 'open').length,
        attached: state.orchestrator?.attached ?? false,
        cursor: cursorText(epoch, state.seq),
      },
      sessionData: { state: toldState(state) },
    };
  },
});

/** What is worth telling of a state: neither leases nor what is empty. */
function toldState({ orchestrator, delegate: _delegate, let_go: _letGo, session_id: _sessionId, ...state }: SessionState): object {
  const told = { ...state, instance: orchestrator?.instance_id ?? null, capabilities: orchestrator?.capabilities ?? [] };
  return Object.fromEntries(Object.entries(told).filter(([, each]) => each !== null && !(Array.isArray(each) && each.length === 0)));
}

export const readEvents = tool({
  name: 'read_events',
  title: 'Read events',
  description:
    "Reads a session's journal in order, a page at a time. Repeat with `after` = `next_cursor` until `is_end`; nothing is missed in between.",
  annotations: readOnly,
  input: z.object({
    session: sessionInput,
    after: cursorInput,
    types: eventTypes.default([]).describe('Only events whose type matches one of these globs, as ["skill:*", "*:failed"].'),
    limit: z.int().min(1).max(mcpLimits.events).default(50),
  }),
  facts: z.object({
    session: z.string(),
    next_cursor: z.string(),
    is_end: z.boolean().describe('Whether these were the last events so far.'),
    gap: z.boolean().describe('Whether events after `after` are gone: these are from the first one that is left.'),
  }),
  async run({ session, after = '0', types, limit }, { calls }) {
    const piece = await eventsAfter(calls, session, { after: placeOf(after), types, limit });
    const { rows, next } = eventRows(piece.events, piece.next);
    return {
      facts: {
        session,
        next_cursor: cursorText(piece.epoch, next),
        is_end: rows.length === piece.events.length && piece.events.length < limit,
        gap: piece.gap,
      },
      sessionData: { events: rows },
    };
  },
});

/** As many events as an answer holds, each made to fit, and after which one to go on. */
export function eventRows(events: readonly SessionEvent[], next: number): { rows: unknown[]; next: number } {
  const told = events.map(({ session_id: _sessionId, id: _id, ...event }) => shortened(event, mcpLimits.eventBytes).value);
  const rows = fitting(told, mcpLimits.answerBytes - 500);
  return { rows, next: rows.length < events.length ? (events[rows.length - 1]?.seq ?? next) : next };
}
