import { z } from 'zod';
import { newId, shortId } from '../../core/ids.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { eventTable } from '../../core/protocol/event-table.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { awaited } from '../awaited.ts';
import type { ServerCalls } from '../server-calls.ts';
import { ownSession, readOnly, tool, waitInput } from '../tool.ts';

/**
 * What an agent may say of itself. Neither what opens its gate (`execution:resumed` and the like) nor what answers its own questions
 * (`decision:made`).
 */
const reported = [
  'execution:started',
  'execution:progress',
  'execution:completed',
  'execution:failed',
  'skill:started',
  'skill:progress',
  'skill:completed',
  'skill:failed',
  'file:created',
  'file:modified',
  'file:deleted',
  'validation:started',
  'validation:result',
  'agent:spawned',
  'agent:progress',
  'agent:completed',
  'checkpoint:created',
  'message:assistant',
] as const;

/** Those that would end a HALT: only a person does. */
const ending: ReadonlySet<string> = new Set(['execution:completed', 'execution:failed']);

/** `skill:started {skill_name, skill_id?, ...}`, as the schemas have it. */
const fieldsByType = reported.map((type) => {
  const fields = Object.entries(eventTable[type].shape).map(([name, field]) => (field.safeParse(undefined).success ? `${name}?` : name));
  return `${type} {${fields.join(', ')}}`;
});

export const report = tool({
  name: 'report',
  title: 'Report what you do',
  description:
    'Tells those who watch your session what you do: progress, steps (skill:*), files, checks, sub-agents, checkpoints, messages. ' +
    `Done when it is kept. The fields of \`data\`: ${fieldsByType.join('; ')}.`,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  needs: 'publish',
  input: z.object({
    type: z.enum(reported),
    data: z.record(z.string(), z.unknown()).default({}),
    id: shortId.optional().describe('The same id again is the same event: it is kept once.'),
  }),
  facts: z.object({ session: z.string(), cursor: z.number().describe('The number of the event in the journal.') }),
  async run({ type, data, id = newId() }, call) {
    const session = ownSession(call);
    if (ending.has(type) && isHeld(await stateOf(call.calls, session)))
      throw new ShannonDashError('CONFLICT', 'Your session is halted, and reporting its end would end the halt. Call check_gate and stop');
    const { last_seq } = await call.calls.publish(session, { type, data, id });
    return { facts: { session, cursor: last_seq } };
  },
});

export const checkGate = tool({
  name: 'check_gate',
  title: 'Check whether to go on',
  description:
    'Call this before each step that changes something. It returns at once while you may go on. While people have halted you it waits, ' +
    'and then says `halted`: stop, change nothing, say that you were halted and why, and end your turn or call it again.',
  annotations: readOnly,
  input: z.object({ wait_s: waitInput('while you are halted', 45) }),
  facts: z.object({
    session: z.string(),
    gate: z.enum(['open', 'halted']),
    instruction: z.string(),
    waited_s: z.number(),
  }),
  async run({ wait_s }, call) {
    const session = ownSession(call);
    const startedAt = performance.now();
    const wait = { session, types: ['execution:*'], seconds: wait_s, signal: call.signal };
    const state = await awaited(
      call.calls,
      wait,
      () => stateOf(call.calls, session),
      (seen) => !isHeld(seen),
    );
    const isOpen = !isHeld(state);
    const gate: 'open' | 'halted' = isOpen ? 'open' : 'halted';
    const halt = isOpen ? null : (state?.halt ?? null);
    return {
      facts: {
        session,
        gate,
        instruction: isOpen ? 'Go on.' : 'Stop: people have halted you. Change nothing, and call check_gate again until it says open.',
        waited_s: Math.round((performance.now() - startedAt) / 100) / 10,
      },
      sessionData: halt === null ? undefined : { halted_by: halt.by, reason: halt.reason, since: halt.since },
    };
  },
});

/** Undefined for a session that does not exist yet: nobody can have halted it. */
async function stateOf(calls: ServerCalls, session: string): Promise<SessionState | undefined> {
  try {
    return await calls.session(session);
  } catch (error) {
    if (error instanceof ShannonDashError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function isHeld(state: SessionState | undefined): boolean {
  return state?.status === 'halted' || state?.status === 'halting';
}
