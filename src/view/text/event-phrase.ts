import type { SessionEvent } from '../../core/protocol/event.ts';
import { todaysSpelling } from '../../core/protocol/event-spellings.ts';
import type { KnownEventType } from '../../core/protocol/event-table.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { errorTextOf, numberOf, objectOf, textField, type Data } from '../../core/fold/fold-values.ts';
import { toolDetail } from '../../core/tool-detail.ts';
import type { GroupTone, Tone } from '../cells.ts';
import { count, duration, finishedDuration } from './numbers.ts';
import { shown } from './shown-text.ts';

/** An event as a sentence, its group in one word, and the tone that its meaning has. */
export interface EventPhrase {
  group: string;
  text: string;
  tone: Exclude<Tone, 'line' | 'active' | GroupTone>;
}

type Phraser = (data: Data) => string;

/** Maps, for names of types come from outside: `constructor` is one too. */
const groups: ReadonlyMap<string, string> = new Map([
  ['execution', 'run'],
  ['validation', 'check'],
  ['checkpoint', 'save'],
  ['orchestrator', 'link'],
]);

const phrasersOfKnownTypes: Record<Exclude<KnownEventType, `command:${string}`>, Phraser> = {
  'execution:started': (data) => `started${after(': ', textField(data, 'task'))}`,
  'execution:progress': (data) => {
    const task = textField(data, 'task');
    const isTaskAlone = task !== null && data['progress'] === undefined && data['message'] === undefined;
    return isTaskAlone ? `works on: ${task}` : howFar(data).replace(/^:? /, '');
  },
  'execution:completed': (data) => `completed${outcome(data['result']) ?? `${seconds(data)}${after(': ', errorTextOf(data, 'result'))}`}`,
  'execution:failed': (data) => `failed${seconds(data)}${after(': ', errorTextOf(data, 'error'))}`,
  'execution:lost': (data) => `lost${after(': ', textField(data, 'reason'))}`,
  'execution:halting': (data) => `halting${after(', asked by ', textField(data, 'initiated_by'))}${after(': ', textField(data, 'reason'))}`,
  'execution:halted': (data) => `halted${after(' by ', textField(data, 'initiated_by'))}${after(': ', textField(data, 'reason'))}`,
  'execution:resumed': (data) => `resumed${after(' by ', textField(data, 'initiated_by'))}`,
  'execution:rollback': (data) =>
    `rolled back${after(' to ', textField(data, 'checkpoint_id'))}${after(', steps: ', numberOf(data, 'steps'))}${after(', by ', textField(data, 'initiated_by'))}`,
  'execution:redirect': (data) =>
    `redirected to ${textField(data, 'target_skill') ?? textField(data, 'target_path') ?? 'another goal'}${after(', by ', textField(data, 'initiated_by'))}`,
  'skill:started': (data) => `${skill(data)} started${after(' by ', textField(data, 'agent_id'))}`,
  'skill:progress': (data) => `${skill(data)}${howFar(data)}`,
  'skill:completed': (data) => `${skill(data)} done${seconds(data)}`,
  'skill:failed': (data) => `${skill(data)} failed${seconds(data)}${after(': ', errorTextOf(data, 'error'))}`,
  'skill:injected': (data) => `${skill(data)} put in${after(' by ', textField(data, 'injected_by'))}`,
  'file:created': (data) => `${who(data)}created ${path(data)}${lines(data)}`,
  'file:modified': (data) => `${who(data)}edited ${path(data)}${lines(data)}`,
  'file:deleted': (data) => `${who(data)}deleted ${path(data)}${lines(data)}`,
  'file:changed': (data) => {
    const counts = ['created', 'modified', 'deleted'].flatMap((change) => {
      const paths = data[change];
      return Array.isArray(paths) && paths.length > 0 ? [`${paths.length} ${change === 'modified' ? 'edited' : change}`] : [];
    });
    return `${who(data)}files: ${counts.join(', ') || 'none'}`;
  },
  'decision:point': (data) => `${who(data)}asks: ${textField(data, 'question') ?? '?'}`,
  'decision:made': (data) =>
    `${textField(data, 'made_by') ?? 'somebody'} chose "${textField(data, 'choice') ?? '?'}"${seconds(data, 'after')}`,
  'validation:started': (data) => `${check(data)} started${after(': ', textField(data, 'command'))}`,
  'validation:output': (data) => `${textField(data, 'check_name') ?? ''} | ${textField(data, 'line') ?? ''}`,
  'validation:result': (data) =>
    `${check(data)} ${data['success'] === true ? 'passed' : 'failed'}${seconds(data)}${after(': ', textField(data, 'message'))}`,
  'agent:spawned': (data) => `${agent(data)} joined${after(' as ', textField(data, 'role'))}${after(': ', textField(data, 'task'))}`,
  'agent:progress': (data) => `${agent(data)}${howFar(data)}`,
  'agent:completed': (data) => `${agent(data)} ${data['success'] === false ? 'failed' : 'finished'}${seconds(data)}`,
  'agent:waiting': (data) =>
    `${who(data)}waits for you${after(': ', textField(data, 'message') ?? textField(data, 'reason'))}${data['inferred'] === true ? ' (inferred)' : ''}`,
  'message:user': (data) => `user: ${textField(data, 'text') ?? ''}`,
  'message:assistant': (data) => `${textField(data, 'agent_id') ?? 'assistant'}: ${textField(data, 'text') ?? ''}`,
  'tool:started': (data) => `${who(data)}${tool(data)} called${after(': ', toolDetail(data['input']))}`,
  'tool:completed': (data) => `${who(data)}${tool(data)} ${data['inferred'] === true ? 'has ended, as it seems' : 'done'}${seconds(data)}`,
  'tool:failed': (data) => `${who(data)}${tool(data)} failed${seconds(data)}${after(': ', errorTextOf(data, 'error'))}`,
  'usage:reported': (data) =>
    `${who({ agent_id: data['agent_id'] ?? data['agent_name'] })}used${after(' ', textField(data, 'model'))}: ${count(tokens(data))} tokens${after(', $', numberOf(data, 'cost_usd')?.toFixed(4) ?? null)}`,
  'checkpoint:created': (data) => `checkpoint ${textField(data, 'checkpoint_id') ?? '?'}${after(': ', textField(data, 'label'))}`,
  'checkpoint:saved': (data) => `checkpoint ${textField(data, 'checkpoint_id') ?? '?'} saved${after(', files: ', numberOf(data, 'files'))}`,
  'checkpoint:failed': (data) => `checkpoint ${textField(data, 'checkpoint_id') ?? '?'} failed${after(': ', errorTextOf(data, 'error'))}`,
  'process:output': (data) => `${textField(data, 'stream') ?? 'stdout'} | ${Array.isArray(data['lines']) ? data['lines'].join(' ') : ''}`,
  'process:screen': (data) => `full screen | ${count((textField(data, 'text') ?? '').length)} characters`,
  'journal:lost': (data) => `an event is lost${after(': ', textField(data, 'reason'))}`,
  'run:marked': (data) => `${markPhrase(data)}${after(' by ', textField(data, 'by'))}`,
  'run:files-let-go': (data) => `changes of files that came too fast to be told one by one: ${numberOf(data, 'count') ?? '?'}`,
  'orchestrator:attached': (data) =>
    data['again'] === true
      ? `the program carries out ${capabilities(data)}${instance(data)}`
      : `the program has connected${instance(data)}`,
  'orchestrator:detached': (data) =>
    hasLeft(data)
      ? `the program has left${instance(data)}`
      : `the program${instance(data)} is gone without a word${after(': ', textField(data, 'reason'))}`,
};

const phrasers: ReadonlyMap<string, Phraser> = new Map(Object.entries(phrasersOfKnownTypes));

/** How a program ended, as `run` says it. */
function outcome(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || !('exit_code' in result)) return undefined;
  const durationMs = numberOf({ ...result }, 'duration_ms');
  return `, exit code ${String(result.exit_code)}${durationMs === null ? '' : ` after ${(durationMs / 1_000).toFixed(1)}s`}`;
}

/** The event in words. Any event has some: an unknown type is named, with the texts in its data. */
export function eventPhrase(event: Pick<SessionEvent, 'type' | 'data'>): EventPhrase {
  const { type, data } = todaysSpelling(event);
  const group = type.slice(0, type.indexOf(':'));
  const phraser = phrasers.get(type) ?? (group === 'command' ? command(type) : unknown(type));
  return { group: groups.get(group) ?? shown(group, 20), text: shown(phraser(data)).trim(), tone: toneOf(type, data) };
}

function toneOf(type: string, data: Data): EventPhrase['tone'] {
  if (type.endsWith(':failed') || type.endsWith(':lost') || type === 'command:rejected' || type === 'command:expired') return 'bad';
  if ((type === 'validation:result' || type === 'agent:completed') && data['success'] === false) return 'bad';
  if (type.endsWith(':completed') || type === 'validation:result') return 'good';
  if (type === 'orchestrator:detached' && hasLeft(data)) return 'plain';
  if (type === 'decision:point' || type === 'agent:waiting' || type.startsWith('execution:halt') || type === 'orchestrator:detached')
    return 'warn';
  return 'plain';
}

/** The commands that a program carries out. */
function capabilities({ capabilities: given }: Data): string {
  return Array.isArray(given) && given.length > 0 ? given.join(', ') : 'no commands';
}

/** Which program of several it is. */
function instance(data: Data): string {
  const id = textField(data, 'instance_id');
  return id === null ? '' : ` (${id})`;
}

/** Whether an orchestrator said goodbye, as it does after its work. */
function hasLeft(data: Data): boolean {
  return textField(data, 'code') === 'left';
}

function command(type: string): Phraser {
  return (data) =>
    `${textField(data, 'command_type') ?? '?'}${objectOf(data, 'parameters')['dry_run'] === true ? ' preview' : ''} ${type.slice('command:'.length)}${after(', by ', textField(data, 'by'))}${after(': ', errorTextOf(data, 'error'))}`;
}

function unknown(type: string): Phraser {
  return (data) => {
    const words = Object.entries(data).flatMap(([field, value]) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? [`${field}=${cutText(String(value), 200)}`]
        : [],
    );
    return `${type} ${words.slice(0, 6).join(' ')}`;
  };
}

function markPhrase(data: Data): string {
  if (typeof data['pinned'] === 'boolean') return data['pinned'] ? 'pinned' : 'unpinned';
  return data['archived'] === false ? 'taken back' : 'put away';
}

function after(before: string, value: string | number | null): string {
  return value === null ? '' : `${before}${value}`;
}

/** ` 61% wave 2 of 3`, `: wave 2 of 3`, ` at work`. */
function howFar(data: Data): string {
  const progress = numberOf(data, 'progress');
  const message = textField(data, 'message');
  if (progress === null) return message === null ? ' at work' : `: ${message}`;
  return ` ${Math.round(progress)}%${after(' ', message)}`;
}

/** ` in 12ms`, ` in 3.2s`, ` after 1m04s`. */
function seconds(data: Data, word = 'in'): string {
  const lasted = numberOf(data, 'duration');
  if (lasted === null) return '';
  if (lasted < 0.05) return ` ${word} ${finishedDuration(lasted * 1_000)}`;
  return ` ${word} ${lasted < 10 ? `${lasted.toFixed(1)}s` : duration(Math.round(lasted) * 1_000)}`;
}

/** The types of which some events are failures: globs. */
export const failureTypes = [
  '*:failed',
  '*:lost',
  'command:rejected',
  'command:expired',
  'validation:result',
  'validation:completed',
  'agent:completed',
] as const;

/** Whether the event tells that something went wrong. */
export function isFailure(event: Pick<SessionEvent, 'type' | 'data'>): boolean {
  const { type, data } = todaysSpelling(event);
  return toneOf(type, data) === 'bad';
}

function skill(data: Data): string {
  return textField(data, 'skill_name') ?? textField(data, 'skill_id') ?? 'a skill';
}

function tool(data: Data): string {
  return textField(data, 'tool_name') ?? textField(data, 'tool_id') ?? 'a tool';
}

/** Input, output and what the cache held. */
function tokens(data: Data): number {
  const fields = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens'];
  return fields.reduce((total, field) => total + Math.max(0, numberOf(data, field) ?? 0), 0);
}

function agent(data: Data): string {
  return textField(data, 'agent_id') ?? 'an agent';
}

function who(data: Data): string {
  return after('', textField(data, 'agent_id')) === '' ? '' : `${textField(data, 'agent_id')} `;
}

function path(data: Data): string {
  return textField(data, 'path') ?? 'a file';
}

function check(data: Data): string {
  return textField(data, 'check_name') ?? 'a check';
}

function lines(data: Data): string {
  const added = numberOf(data, 'lines_added');
  const removed = numberOf(data, 'lines_removed');
  return added === null && removed === null ? '' : ` (+${added ?? 0} -${removed ?? 0})`;
}
