import { z } from 'zod';
import { cutText } from '../text/cut-text.ts';
import { commandStatuses, finalStatuses, type CommandStatus } from './command-status.ts';
import { ShannonDashError } from './errors.ts';
import { optionalSessionId, sessionId, shortId } from '../ids.ts';
import { jsonText, utf8Bytes } from '../json/json.ts';
import { knownWord, openObject } from '../json/open-object.ts';
import { commandTypes, type CommandType } from './known-words.ts';
import { limits } from './limits.ts';
import { check, parse } from '../json/parse.ts';
import { anyObject, boundedText } from '../text/text.ts';

const sentence = boundedText(10_000);
const word = sentence.min(1, 'must not be empty');
/** A text that the server tells. */
const told = z.string('must be a text');

const halt = z.object({ reason: sentence.optional() });
const resume = z.object({});
const rollback = z
  .object({
    steps: z
      .int(`must be a whole number from 1 to ${limits.rollbackSteps}`)
      .min(1, `must be from 1 to ${limits.rollbackSteps}`)
      .max(limits.rollbackSteps, `must be from 1 to ${limits.rollbackSteps}`)
      .optional(),
    checkpoint_id: shortId.optional(),
    dry_run: z.boolean('must be true or false').optional(),
    force: z.boolean('must be true or false').optional(),
  })
  .refine((fields) => fields.steps === undefined || fields.checkpoint_id === undefined, {
    path: ['steps'],
    message: 'give either steps or checkpoint_id',
  })
  .transform((fields) => (fields.checkpoint_id === undefined ? { ...fields, steps: fields.steps ?? 1 } : fields));
const redirect = z.object({ target_skill: word.optional(), target_path: word.optional(), instructions: sentence.optional() });
const decision = z.object({ decision_id: word, choice: word, comment: sentence.optional() });
const inject = z.object({
  skill_name: word,
  parameters: anyObject.optional(),
  position: z
    .union([z.enum(['next', 'end']), z.int().nonnegative('must be next, end or an index from 0')], 'must be next, end or an index from 0')
    .default('next'),
});

const stop = z.object({
  reason: sentence.optional(),
  /** How long the program may take to end by itself, before it is ended by force. */
  grace_ms: z
    .number('must be a number of milliseconds')
    .nonnegative('must not be negative')
    .max(limits.stopGraceMaxMs, `must be at most ${limits.stopGraceMaxMs}`)
    .default(limits.stopGraceMs),
});

export { commandTypes, type CommandType } from './known-words.ts';

/** The fields of each command type: protocol, section 6. */
export const commandTable = {
  HALT: halt,
  RESUME: resume,
  ROLLBACK: rollback,
  REDIRECT: redirect,
  DECISION: decision,
  INJECT: inject,
  STOP: stop,
} as const satisfies Record<CommandType, z.ZodType>;

/** To zod, an object without fields is one that may have none: joined with others it would forbid theirs. */
type Joinable<Fields> = string extends keyof Fields ? unknown : Fields;

/** The fields of one type of command, as checked. */
export type CommandFields<Type extends CommandType> = Joinable<z.output<(typeof commandTable)[Type]>>;

/** Whether a command that stands here has ended. */
export function isFinal(status: CommandStatus): boolean {
  return finalStatuses.some((each) => each === status);
}

const envelopeFields = {
  session_id: z.union([z.literal('*'), optionalSessionId]),
  command_id: shortId.optional(),
  timeout_ms: z
    .number('must be a number of milliseconds')
    .positive('must be positive')
    .max(limits.commandTimeoutMaxMs, `must be at most ${limits.commandTimeoutMaxMs}`)
    .default(limits.commandTimeoutMs),
};
const envelope = z.looseObject(envelopeFields);

/** A checked command. `session_id` is `*` for every live session, absent where the sender left it out. */
export interface CommandRequest {
  type: CommandType;
  session_id?: string | undefined;
  command_id?: string | undefined;
  timeout_ms: number;
  fields: Record<string, unknown>;
}

/** What an operator sends: `{type, session_id?, command_id?, ...fields, timeout_ms?}`. */
export type CommandInput<Type extends CommandType = CommandType> = {
  [Each in Type]: {
    type: Each;
    session_id?: string | undefined;
    command_id?: string | undefined;
    timeout_ms?: number | undefined;
  } & Joinable<z.input<(typeof commandTable)[Each]>>;
}[Type];

/** A command as it is sent: its type, and the fields of that type, which `parseCommand` checks. */
export const commandBody = z.looseObject({ type: told });

/**
 * Checks a command. The texts of refusals are part of the protocol.
 * @throws ShannonDashError INVALID
 */
export function parseCommand(input: unknown): CommandRequest {
  if (typeof input !== 'object' || input === null || !('type' in input) || typeof input.type !== 'string' || input.type === '') {
    throw new ShannonDashError('INVALID', 'Command type is required');
  }
  const type = input.type.toUpperCase();
  if (!isCommandType(type))
    throw new ShannonDashError('INVALID', `Unknown command type: ${cutText(input.type, 100)}`, { known: commandTypes });
  const { session_id, command_id, timeout_ms, type: _, ...rest } = parse(envelope, input);
  const missing = missingField(type, rest);
  if (missing !== undefined) throw new ShannonDashError('INVALID', missing);
  if (utf8Bytes(jsonText(rest, 'The command', '')) > limits.commandBytes) {
    throw new ShannonDashError('TOO_LARGE', `A command must be at most ${limits.commandBytes} bytes`);
  }
  return { type, session_id, command_id, timeout_ms, fields: parse<z.ZodType<Record<string, unknown>>>(commandTable[type], rest) };
}

/** What a refused command is called in its refusal: its type and id, as far as they were given and are texts. */
export function commandNames(input: unknown): { command_type?: string; command_id?: string } {
  if (typeof input !== 'object' || input === null) return {};
  const { type, command_id } = input as Record<string, unknown>;
  return {
    ...(typeof type === 'string' && type !== '' && type.isWellFormed()
      ? { command_type: cutText(type, limits.idChars).toUpperCase() }
      : {}),
    ...(check(shortId, command_id).success ? { command_id: String(command_id) } : {}),
  };
}

function isCommandType(type: string): type is CommandType {
  return Object.hasOwn(commandTable, type);
}

function missingField(type: CommandType, fields: Record<string, unknown>): string | undefined {
  const lacks = (name: string) => fields[name] === undefined || fields[name] === null || fields[name] === '';
  if (type === 'REDIRECT' && lacks('target_skill') && lacks('target_path')) return 'target_skill or target_path is required';
  if (type === 'DECISION' && (lacks('decision_id') || lacks('choice'))) return 'decision_id and choice are required';
  if (type === 'INJECT' && lacks('skill_name')) return 'skill_name is required';
  return undefined;
}

/** From where a command came, beside the name of its sender. */
const commandOrigin = openObject({ role: told, address: told });

/** A command in the ledger, and in the state of its session. */
export const commandState = openObject({
  command_id: told,
  command_type: knownWord(commandTypes),
  status: knownWord(commandStatuses),
  by: told.nullable(),
  /** The role and the address of the sender; absent in journals of older servers. */
  from: commandOrigin.optional(),
  parameters: anyObject,
  result: z.unknown(),
  error: told.nullable(),
  acknowledged_by: told.nullable(),
  /** The orchestrator instance that has it, once delivered. */
  delivered_to: told.nullable(),
  /** The orchestrator instance whose run it is meant for; null where none was known, or nothing had begun, when it was sent. */
  for_instance: told.nullable(),
  /** The orchestrator instance that was attached for it since it was sent: it may have the command, also before it says so. */
  offered_to: told.nullable().default(null),
  /** The command that this one sends again. */
  resend_of: told.nullable().default(null),
  cancelled_by: told.nullable().default(null),
  created_at: told,
  updated_at: told,
});

/** The answer to a command: where it stands once it is finished, or when its time to wait was over. */
export const commandResult = openObject({
  success: z.boolean('must be true or false'),
  command_type: knownWord(commandTypes),
  command_id: told,
  session_id: told,
  status: knownWord(commandStatuses),
  /** `server`, or the instance id of the orchestrator. */
  acknowledged_by: told.optional(),
  /** Whether an orchestrator is attached that carries out commands of this type. */
  attached: z.boolean('must be true or false'),
  message: told.optional(),
  error: told.optional(),
  code: told.optional(),
  result: z.unknown().optional(),
  /** What was asked for: of a ROLLBACK. */
  steps: z.unknown().optional(),
  /** Of a REDIRECT: the skill or the path. */
  target: z.unknown().optional(),
  /** Of a DECISION. */
  decision_id: z.unknown().optional(),
  choice: z.unknown().optional(),
  /** Of an INJECT. */
  skill_name: z.unknown().optional(),
  position: z.unknown().optional(),
  elapsed_ms: z.number('must be a number'),
  timestamp: told,
});

export interface CommandResult extends z.output<typeof commandResult> {}

/** The answer to a command for `*`: one result per live session. */
export const commandResults = openObject({
  success: z.boolean('must be true or false'),
  command_type: knownWord(commandTypes),
  session_id: z.literal('*'),
  results: z.array(commandResult),
  elapsed_ms: z.number('must be a number'),
  timestamp: told,
});

export interface CommandResults extends z.output<typeof commandResults> {}

/** The answer to `command`. */
export const commandAnswer = z.union([commandResults, commandResult]);

/** `command:execute`, as an orchestrator gets it. */
export const commandExecution = z.looseObject({
  command_id: told,
  type: knownWord(commandTypes),
  session_id: told,
  by: told.nullable(),
});

export type CommandExecution = z.output<typeof commandExecution>;

/** What a client says of the new command with which it sends an old one again. */
export const resendFields = z.object({ command_id: envelopeFields.command_id, timeout_ms: envelopeFields.timeout_ms });

/** `command:resend`. */
export const resendRequest = z.object({ session_id: sessionId, resend_of: shortId, ...resendFields.shape });

export type ResendRequest = z.output<typeof resendRequest>;
/** As a client gives it. */
export type ResendInput = z.input<typeof resendRequest>;

/** `command:cancel`. */
export const cancelRequest = z.object({ session_id: sessionId, command_id: shortId });

export type CancelRequest = z.output<typeof cancelRequest>;

/** The answer to `command:cancel`: where the command stands in the ledger now. */
export const cancelAnswer = openObject({ success: z.literal(true, 'must be true'), command: commandState, timestamp: told });

export interface CancelAnswer extends z.output<typeof cancelAnswer> {}

/** `command:update`, from the orchestrator. */
export const commandUpdate = z.object({
  command_id: shortId,
  session_id: optionalSessionId,
  status: z.enum(['applied', 'failed'], 'must be applied or failed'),
  result: z.unknown().optional(),
  error: sentence.optional(),
});
