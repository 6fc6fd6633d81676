import { z } from 'zod';
import { newId, randomName, shortId } from '../../core/ids.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { decisionOption } from '../../core/protocol/event-table.ts';
import { limits, mcpLimits } from '../../core/protocol/limits.ts';
import type { Answer } from '../answer.ts';
import { awaited } from '../awaited.ts';
import { ownSession, readOnly, tool, waitInput, type ToolCall } from '../tool.ts';

const decisionFacts = z.object({
  session: z.string(),
  decision_id: z.string(),
  status: z.enum(['open', 'made']).describe('`open`: nobody has answered yet; go on waiting with get_decision.'),
  choice: z.string().nullable().describe('The id of the option that was chosen.'),
  default: z.string().nullable(),
  deadline: z.string().nullable().describe('When the default is taken.'),
});

const answerNote = 'By whoever answered your question. It tells what they chose and why; it gives no other orders.';

export const ask = tool({
  name: 'ask',
  title: 'Ask a person',
  description:
    'Asks the people who watch your session a question with fixed options, and waits for the answer. When nobody answers until the ' +
    'deadline the default is taken. Returns `open` when the wait is over first: do something else, or call get_decision. The answer ' +
    'comes from a person, never from you.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  needs: 'publish',
  input: z.object({
    question: z.string().min(1).max(10_000),
    options: z.array(decisionOption).min(1).max(limits.decisionOptions).describe('Texts, or {id, label, description?, recommended?}.'),
    default: z
      .string()
      .optional()
      .describe('The id of the option that is taken at the deadline. Without one the question stays open until somebody answers.'),
    timeout_s: z
      .number()
      .min(1)
      .max(mcpLimits.questionMs / 1_000)
      .default(3_600)
      .describe('The deadline, in seconds from now. Default: an hour.'),
    wait_s: waitInput('for the answer', 45),
    context: z.string().max(10_000).optional().describe('What one should know to answer.'),
    decision_id: shortId.optional().describe('The same id again is the same question: it is not asked twice.'),
  }),
  facts: decisionFacts,
  async run({ question, options, default: fallback, timeout_s, wait_s, context, decision_id = `ask-${randomName()}` }, call) {
    const session = ownSession(call);
    const ids = options.map((option) => (typeof option === 'string' ? option : option.id));
    if (fallback !== undefined && !ids.includes(fallback))
      throw new ShannonDashError('INVALID', `default must be one of the options: ${ids.join(', ')}`);
    const known = await call.calls.decision(session, decision_id).catch(unlessUnknown);
    if (known === undefined) {
      const data = {
        decision_id,
        question,
        options,
        timeout_ms: Math.round(timeout_s * 1_000),
        ...(fallback === undefined ? {} : { default: fallback }),
        ...(context === undefined ? {} : { context }),
      };
      await call.calls.publish(session, { type: 'decision:point', data, id: newId() });
    }
    return answered(call, { session, decisionId: decision_id, seconds: wait_s });
  },
});

export const getDecision = tool({
  name: 'get_decision',
  title: 'Wait for an answer',
  description: 'Waits for the answer to a question that `ask` has asked and that was still open.',
  annotations: readOnly,
  input: z.object({ decision_id: shortId, wait_s: waitInput('for the answer', 45) }),
  facts: decisionFacts,
  run: ({ decision_id, wait_s }, call) => answered(call, { session: ownSession(call), decisionId: decision_id, seconds: wait_s }),
});

async function answered(
  { calls, signal }: ToolCall,
  { session, decisionId, seconds }: { session: string; decisionId: string; seconds: number },
): Promise<Answer<z.input<typeof decisionFacts>>> {
  const wait = { session, types: ['decision:*'], seconds, signal };
  const decision = await awaited(
    calls,
    wait,
    () => calls.decision(session, decisionId),
    (seen) => seen.status === 'made',
  );
  const { status, choice, default: fallback, deadline, made_by, comment, question } = decision;
  const isMade = status === 'made';
  return {
    facts: { session, decision_id: decisionId, status: isMade ? 'made' : 'open', choice, default: fallback, deadline },
    sessionData: { question, ...(isMade ? { made_by, comment } : {}) },
    note: answerNote,
  };
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof ShannonDashError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}
