import { z } from 'zod';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { sessionStatuses } from '../../core/protocol/known-words.ts';
import { limits, mcpLimits } from '../../core/protocol/limits.ts';
import { isEnded, type SessionState } from '../../core/protocol/session-state.ts';
import { awaited } from '../awaited.ts';
import { cursorText, eventsAfter, placeOf } from '../cursor.ts';
import { cursorInput, readOnly, sessionInput, tool, waitInput, type ToolCall } from '../tool.ts';
import { eventRows } from './look-tools.ts';

interface Found {
  met: boolean;
  epoch: string;
  seq: number;
  gap?: boolean;
  sessionData: Record<string, unknown> | undefined;
}

export const waitFor = tool({
  name: 'wait_for',
  title: 'Wait for something in a session',
  description:
    'Waits until a session has a status, has an open question, or has had a certain event. Use it instead of asking again and again. When ' +
    '`met` is false the time was over: call it again with `after` = `cursor`, and nothing is missed.',
  annotations: readOnly,
  input: z.object({
    session: sessionInput,
    until: z
      .string()
      .min(1)
      .max(limits.eventTypeGlobChars)
      .describe(
        `A status (${sessionStatuses.join(', ')}), \`ended\` (completed or failed), \`decision\` (a question is open), or a glob over the types of events, as skill:* or *:failed.`,
      ),
    after: cursorInput.describe('For events: only later ones count. A cursor of an earlier answer; without one: what comes from now on.'),
    timeout_s: waitInput('for it', 45),
  }),
  facts: z.object({
    session: z.string(),
    met: z.boolean().describe('Whether it has happened.'),
    status: z.string(),
    cursor: z.string().describe('Hand it back as `after`.'),
    gap: z.boolean().describe('Whether events after `after` are gone.'),
  }),
  async run({ session, until, after, timeout_s }, call) {
    const state = await call.calls.session(session);
    const place = after === undefined ? { epoch: state.epoch, seq: state.seq } : placeOf(after);
    const found = await wait(call, { session, until, place, seconds: timeout_s });
    const { status } = await call.calls.session(session);
    return {
      facts: { session, met: found.met, status, cursor: cursorText(found.epoch, found.seq), gap: found.gap ?? false },
      sessionData: found.sessionData,
    };
  },
});

interface Wanted {
  session: string;
  until: string;
  place: { epoch?: string | undefined; seq: number };
  seconds: number;
}

/** @throws ShannonDashError INVALID nothing can be waited for by that word */
async function wait(call: ToolCall, { session, until, place, seconds }: Wanted): Promise<Found> {
  const { calls, signal } = call;
  const look = lookFor(until);
  if (look !== undefined) {
    const { types, sees } = look;
    const seen = async (): Promise<Found> => {
      const state = await calls.session(session);
      const sessionData = sees(state);
      return { met: sessionData !== undefined, epoch: state.epoch, seq: state.seq, sessionData };
    };
    return awaited(calls, { session, types, seconds, signal }, seen, ({ met }) => met);
  }
  if (!/[:*]/.test(until)) {
    throw new ShannonDashError(
      'INVALID',
      `until cannot be "${until}"; it is one of ${sessionStatuses.join(', ')}, ended, decision, or a glob over the types of events, as skill:*`,
    );
  }
  return waitForEvents(call, { session, until, place, seconds });
}

async function waitForEvents({ calls, signal }: ToolCall, { session, until, place, seconds }: Wanted): Promise<Found> {
  let after = place;
  let gap = false;
  const types = [until];
  const seen = async (): Promise<Found> => {
    const piece = await eventsAfter(calls, session, { after, types, limit: mcpLimits.events });
    const { rows, next } = eventRows(piece.events, piece.next);
    after = { epoch: piece.epoch, seq: next };
    gap ||= piece.gap;
    return { met: rows.length > 0, epoch: piece.epoch, seq: next, gap, sessionData: rows.length === 0 ? undefined : { events: rows } };
  };
  return awaited(calls, { session, types, seconds, signal }, seen, ({ met }) => met);
}

/** After which events to look at the state, and what to tell of it once it is as wanted; undefined for a word that is no status. */
function lookFor(
  until: string,
): { types: readonly string[]; sees: (state: SessionState) => Record<string, unknown> | undefined } | undefined {
  if (until === 'decision') {
    return {
      types: ['decision:*', 'execution:*'],
      sees: ({ decisions }) => {
        const open = decisions.filter((each) => each.status === 'open');
        return open.length === 0 ? undefined : { open_decisions: open };
      },
    };
  }
  const isWanted = until === 'ended' ? isEnded : (status: string) => status === until;
  if (until !== 'ended' && !(sessionStatuses as readonly string[]).includes(until)) return undefined;
  // Any event can be the first one of a session, or bring a lost one back.
  const types = until === 'running' ? [] : ['execution:*'];
  return {
    types,
    sees: ({ status, message, result, error, halt }) => (isWanted(status) ? { message, result, error, halt } : undefined),
  };
}
