import { z } from 'zod';
import { newId, shortId } from '../../core/ids.ts';
import { parseCommand, type CommandInput } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { commandTypes } from '../../core/protocol/known-words.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { Asking } from '../server-calls.ts';
import { sessionInput, tool, waitInput } from '../tool.ts';

export const sendCommand = tool({
  name: 'send_command',
  title: 'Steer another session',
  description:
    'Sends a command to ANOTHER session: HALT {reason?}, RESUME, STOP {reason?, grace_ms?} (ends its program with everything that it ' +
    'started), ROLLBACK {steps? or checkpoint_id?, dry_run?, force?}, REDIRECT ' +
    '{target_skill or target_path, instructions?}, DECISION {decision_id, choice, comment?}, INJECT {skill_name, parameters?, position?}. ' +
    '`status` says how far it came: only `applied` is done. Your own session is never yours to steer.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
  needs: 'command',
  input: z.object({
    session: sessionInput,
    type: z.enum(commandTypes as [string, ...string[]]),
    reason: z.string().optional(),
    grace_ms: z.number().min(0).max(limits.stopGraceMaxMs).optional(),
    steps: z.int().min(1).max(limits.rollbackSteps).optional(),
    checkpoint_id: z.string().optional(),
    dry_run: z.boolean().optional().describe('ROLLBACK: tell what would change, and change nothing.'),
    force: z.boolean().optional(),
    target_skill: z.string().optional(),
    target_path: z.string().optional(),
    instructions: z.string().optional(),
    decision_id: z.string().optional(),
    choice: z.string().optional(),
    comment: z.string().optional(),
    skill_name: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
    position: z.union([z.enum(['next', 'end']), z.int().min(0)]).optional(),
    command_id: shortId.optional().describe('The same id again is the same command: it is not carried out twice.'),
    wait_s: waitInput('for its end', 10),
  }),
  facts: z.object({
    session: z.string(),
    command_id: z.string(),
    type: z.string(),
    status: z.string().describe('queued, delivered, applied, failed, rejected, expired or cancelled.'),
    success: z.boolean(),
    attached: z.boolean().describe('Whether a program is there that carries out commands of this type.'),
  }),
  async run({ session, wait_s, command_id = newId(), ...command }, call) {
    checkOther(call, session);
    const input = { ...command, session_id: session, command_id, timeout_ms: Math.max(1, Math.round(wait_s * 1_000)) };
    parseCommand(input);
    const result = await call.calls.command(input as CommandInput & { session_id: string });
    const { status, success, attached, message, error, result: told, command_type } = result;
    return {
      facts: { session, command_id, type: command_type, status, success, attached },
      sessionData: { message, error, result: told },
    };
  },
});

/** @throws ShannonDashError FORBIDDEN the session is the agent's own, or may be */
function checkOther({ own, isSupervisor }: Asking, session: string): void {
  if (own.includes(session))
    throw new ShannonDashError('FORBIDDEN', 'This is your own session: people halt it, let it go on, and answer its questions; you do not');
  if (own.length === 0 && !isSupervisor)
    throw new ShannonDashError(
      'FORBIDDEN',
      'Nobody has said which session is your own, and it could be this one. Ask the user to name it (shannon-dash mcp --session ID, or /mcp?session=ID), or to say that you have none (--supervisor, or /mcp?supervisor=true)',
    );
}
