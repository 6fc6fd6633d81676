import { z } from 'zod';
import { telemetrySignals } from './agent-activity.ts';
import type { KnownEventType } from './known-words.ts';
import { limits } from './limits.ts';
import { anyObject } from '../text/text.ts';

const name = z.string('must be a text').min(1, 'must not be empty').max(1_000, 'must be at most 1,000 characters');
const text = z.string('must be a text');
const count = z.number('must be a number');
const seconds = z.number('must be a number of seconds').nonnegative('must not be negative');
const percent = z.number('must be a number from 0 to 100').min(0, 'must be from 0 to 100').max(100, 'must be from 0 to 100');
const object = anyObject;
const commandEffect = { reason: text.nullish(), command_id: text.nullish(), initiated_by: text.nullish() };
const skillRef = { skill_name: name.optional(), skill_id: name.optional() };

function named<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.looseObject({ ...skillRef, ...shape }).refine((data) => data.skill_name !== undefined || data.skill_id !== undefined, {
    path: ['skill_name'],
    message: 'skill_name or skill_id is required',
  });
}

const tool = { tool_name: name, tool_id: name.optional(), agent_id: text.nullish() };
const message = z.looseObject({
  text: text.max(limits.messageChars, `must be at most ${limits.messageChars.toLocaleString('en')} characters`),
  message_id: text.nullish(),
  agent_id: text.nullish(),
});
/** It was not told; it follows from something else that was. */
const inferred = z.boolean('must be true or false').nullish();
const tokens = count.nonnegative('must not be negative').nullish();

export { isServerOnly, type KnownEventType } from './known-words.ts';

/** One option of a decision: a text, or an object with an id and a label. */
export const decisionOption = z.union(
  [name, z.looseObject({ id: name, label: name, description: text.optional(), recommended: z.boolean().optional() })],
  'must be a text or {id, label, description?, recommended?}',
);

/** Where it runs, and on whose behalf: told at the start, and again when it changes. */
const place = { folder: text.nullish(), branch: text.nullish(), model: text.nullish() };
const execution = z.looseObject({
  task: text.nullish(),
  plan_id: text.nullish(),
  total_steps: count.nullish(),
  ...place,
  user: text.nullish(),
  labels: z.array(name, 'must be a list of texts').max(limits.labels, `must be at most ${limits.labels} labels`).nullish(),
});
const file = z.looseObject({
  path: name,
  lines_added: count.nullish(),
  lines_removed: count.nullish(),
  lines_changed: count.nullish(),
  /** A unified diff. Any value is kept, since programs send it by other names and forms too. */
  diff: z.unknown().optional(),
  agent_id: text.nullish(),
});
const paths = z.array(name, 'must be a list of paths').max(limits.changedPaths).optional();
const command = z.looseObject({
  command_id: name,
  command_type: name,
  parameters: object.optional(),
  by: text.nullish(),
  from: z.looseObject({ role: text.nullish(), address: text.nullish() }).nullish(),
  result: z.unknown().optional(),
  error: text.nullish(),
  resend_of: text.nullish(),
});
const orchestrator = z.looseObject({
  instance_id: text.nullish(),
  capabilities: z.array(text).optional(),
  code: text.nullish(),
  reason: text.nullish(),
  server: text.nullish(),
  term: count.nullish(),
  owner: text.nullish(),
  lease: text.nullish(),
  under: text.or(z.boolean()).nullish(),
  again: z.boolean('must be true or false').nullish(),
});

/**
 * The known event types and the schema of their `data`: protocol, section 3. All objects are open, so that unknown
 * fields are kept and passed on.
 */
export const eventTable = {
  'execution:started': execution,
  'execution:progress': z.looseObject({ progress: percent.nullish(), message: text.nullish(), task: text.nullish(), ...place }),
  'execution:completed': z.looseObject({ result: z.unknown().optional() }),
  'execution:failed': z.looseObject({ error: z.unknown().optional() }),
  'execution:lost': z.looseObject({ reason: text.nullish(), last_seen: text.nullish() }),
  'execution:halting': z.looseObject(commandEffect),
  'execution:halted': z.looseObject(commandEffect),
  'execution:resumed': z.looseObject(commandEffect),
  'execution:rollback': z.looseObject(commandEffect),
  'execution:redirect': z.looseObject(commandEffect),
  'skill:started': z.looseObject({
    skill_name: name,
    skill_id: name.optional(),
    parameters: object.nullish(),
    agent_id: text.nullish(),
    step_index: count.nullish(),
  }),
  'skill:progress': named({ progress: percent.nullish(), message: text.nullish() }),
  'skill:completed': named({ result: z.unknown().optional(), duration: seconds.nullish() }),
  'skill:failed': named({ error: z.unknown().optional(), duration: seconds.nullish() }),
  'skill:injected': z.looseObject({
    skill_name: name,
    parameters: object.nullish(),
    position: z.union([text, count]).nullish(),
    command_id: text.nullish(),
    injected_by: text.nullish(),
  }),
  'file:created': file,
  'file:modified': file,
  'file:deleted': file,
  'file:changed': z.looseObject({ created: paths, modified: paths, deleted: paths, agent_id: text.nullish() }),
  'decision:point': z.looseObject({
    decision_id: name,
    question: name.max(10_000),
    options: z.array(decisionOption, 'must be a list').min(1, 'must have at least one option').max(limits.decisionOptions),
    default: name.nullish(),
    timeout_ms: z.number('must be a number of milliseconds').positive('must be positive').nullish(),
    context: z.unknown().optional(),
    multiple: z.boolean('must be true or false').nullish(),
    agent_id: text.nullish(),
  }),
  'decision:made': z.looseObject({
    decision_id: name,
    choice: name,
    made_by: text.nullish(),
    command_id: text.nullish(),
    comment: text.nullish(),
  }),
  'validation:started': z.looseObject({ check_name: name, command: text.nullish() }),
  'validation:output': z.looseObject({
    line: text,
    check_name: name.nullish(),
    type: z.enum(['stdout', 'stderr'], 'must be stdout or stderr').nullish(),
  }),
  'validation:result': z.looseObject({
    check_name: name,
    success: z.boolean('must be true or false'),
    message: text.nullish(),
    duration: seconds.nullish(),
    exit_code: count.nullish(),
  }),
  'agent:spawned': z.looseObject({
    agent_id: name,
    parent_agent_id: name.nullish(),
    role: text.nullish(),
    task: text.nullish(),
    skill_name: text.nullish(),
  }),
  'agent:progress': z.looseObject({
    agent_id: name,
    progress: percent.nullish(),
    message: text.nullish(),
    tokens: count.nullish(),
    cost_usd: count.nullish(),
  }),
  'agent:completed': z.looseObject({
    agent_id: name,
    success: z.boolean('must be true or false').nullish(),
    duration: seconds.nullish(),
    tokens: count.nullish(),
    cost_usd: count.nullish(),
    inferred,
  }),
  'agent:waiting': z.looseObject({ agent_id: name.nullish(), reason: text.nullish(), message: text.nullish(), inferred }),
  'message:user': message,
  'message:assistant': message,
  'tool:started': z.looseObject({ ...tool, input: z.unknown().optional() }),
  'tool:completed': z.looseObject({ ...tool, result: z.unknown().optional(), duration: seconds.nullish(), inferred }),
  'tool:failed': z.looseObject({ ...tool, error: z.unknown().optional(), duration: seconds.nullish() }),
  'usage:reported': z.looseObject({
    model: text.nullish(),
    input_tokens: tokens,
    output_tokens: tokens,
    cache_read_tokens: tokens,
    cache_write_tokens: tokens,
    cost_usd: tokens,
    agent_id: text.nullish(),
    agent_name: text.nullish(),
    signal: z.enum(telemetrySignals, 'must be logs, metrics or traces').nullish(),
    since: text.nullish(),
    until: text.nullish(),
  }),
  'checkpoint:created': z.looseObject({ checkpoint_id: name, label: text.nullish(), step: count.nullish(), files: z.unknown().optional() }),
  'checkpoint:saved': z.looseObject({ checkpoint_id: name, files: count.nullish() }),
  'checkpoint:failed': z.looseObject({ checkpoint_id: name, error: z.unknown().optional() }),
  'process:output': z.looseObject({
    lines: z.array(text, 'must be a list of texts'),
    stream: z.enum(['stdout', 'stderr'], 'must be stdout or stderr').nullish(),
    let_go: count.nullish(),
  }),
  'process:screen': z.looseObject({
    text: text.max(limits.messageChars, `must be at most ${limits.messageChars.toLocaleString('en')} characters`),
    after_ms: count.nullish(),
    let_go_chars: count.nullish(),
  }),
  'run:files-let-go': z.looseObject({ count }),
  'run:marked': z.looseObject({
    archived: z.boolean('must be true or false').nullish(),
    pinned: z.boolean('must be true or false').nullish(),
    by: text.nullish(),
  }),
  'journal:lost': z.looseObject({ reason: text.nullish() }),
  'command:queued': command,
  'command:delivered': command,
  'command:applied': command,
  'command:failed': command,
  'command:rejected': command,
  'command:expired': command,
  'command:cancelled': command.extend({ cancelled_by: name }),
  'orchestrator:attached': orchestrator,
  'orchestrator:detached': orchestrator,
} as const satisfies Record<KnownEventType, z.ZodType>;

/** The `data` of a type: as its schema says for a known one, any object else. */
export type EventData<Type extends string> = Type extends KnownEventType ? z.input<(typeof eventTable)[Type]> : Record<string, unknown>;

export function isKnownType(type: string): type is KnownEventType {
  return Object.hasOwn(eventTable, type);
}

/** The schema of a known type's `data`; undefined for any other type. */
export function dataSchema(type: string): z.ZodType<Record<string, unknown>> | undefined {
  return isKnownType(type) ? eventTable[type] : undefined;
}
