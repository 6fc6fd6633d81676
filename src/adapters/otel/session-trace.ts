import { fold } from '../../core/fold/fold.ts';
import { errorTextOf, numberOf, textField, type Data } from '../../core/fold/fold-values.ts';
import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import { todaysSpelling } from '../../core/protocol/event-spellings.ts';
import { initialState, isEnded, type SessionOrigin, type SessionState } from '../../core/protocol/session-state.ts';
import { contentText, modelAttributes, nameText, sessionAttributes, usageAttributes } from './span-attributes.ts';
import { spanIdOf, traceIdOf, type SpanAttributes, type SpanEvent, type TracedSpan } from './traced-span.ts';

/** Spans under way; beyond, those that began first are let go. */
const mostOpen = 1_000;
/** Events of one span; beyond, the first are let go. */
const mostEvents = 128;
/** Agents that spans can still be put below. */
const mostAgents = 1_000;

type Kind = 'workflow' | 'agent' | 'tool' | 'skill' | 'halt';

interface OpenSpan {
  kind: Kind;
  name: string;
  spanId: string;
  parentSpanId: string | undefined;
  startMs: number;
  attributes: SpanAttributes;
}

/** How a span ends. */
interface End {
  atMs: number;
  error?: string | undefined;
  attributes?: SpanAttributes;
}

export interface TraceOptions {
  /** Whether tasks, questions, and what goes into tools and comes out of them, is in the spans. */
  hasContent: boolean;
}

/**
 * A session as a trace by the GenAI conventions: an execution is a workflow, below it agents, below them tools and skills; a halt is a span
 * from its beginning to its end. It follows the events of the session from the first one on; the same events make the same spans.
 */
export class SessionTrace {
  readonly epoch: string;
  readonly #traceId: string;
  readonly #hasContent: boolean;
  #state: SessionState;
  #root: OpenSpan | undefined;
  /** The workflow that is, or was last. */
  #rootId: string | undefined;
  #rootEvents: SpanEvent[] = [];
  #droppedEvents = 0;
  readonly #open = new Map<string, OpenSpan>();
  readonly #agentIds = new Map<string, string>();

  constructor(origin: SessionOrigin & { epoch: string }, { hasContent }: TraceOptions) {
    this.epoch = origin.epoch;
    this.#traceId = traceIdOf(origin);
    this.#hasContent = hasContent;
    this.#state = initialState(origin);
  }

  /** The last event that it has taken. */
  get seq(): number {
    return this.#state.seq;
  }

  /** Takes the next event. @returns the spans that end with it */
  take(given: SessionEvent): TracedSpan[] {
    const before = this.#state;
    const event = todaysSpelling(given);
    const atMs = Date.parse(receivedAt(given));
    this.#state = fold(before, given);
    this.#begin(event, atMs, before);
    const ended = this.#take(event, atMs);
    return isEnded(this.#state.status) && this.#root !== undefined && !isEnded(before.status)
      ? [...ended, ...this.#end(event, atMs)]
      : ended;
  }

  #begin({ type, data, seq }: SessionEvent, atMs: number, before: SessionState): void {
    const isAgain = type === 'execution:started' && this.#rootId !== undefined;
    if (this.#root !== undefined || !(isAgain || (this.#rootId === undefined && this.#state.started_at !== null))) return;
    const workflow = nameText(this.#state.plan_id ?? this.#state.session_id);
    this.#root = {
      kind: 'workflow',
      name: `invoke_workflow ${workflow}`,
      spanId: spanIdOf(this.#traceId, 'workflow', seq),
      parentSpanId: undefined,
      startMs: atMs,
      attributes: {
        'gen_ai.operation.name': 'invoke_workflow',
        'gen_ai.workflow.name': workflow,
        ...this.#content('input.value', textField(data, 'task') ?? before.task),
      },
    };
    this.#rootId = this.#root.spanId;
    this.#rootEvents = [];
    this.#droppedEvents = 0;
  }

  #take(event: SessionEvent, atMs: number): TracedSpan[] {
    const { type, data, seq } = event;
    switch (type) {
      case 'agent:spawned':
      case 'agent:progress':
      case 'agent:completed':
        return this.#agent(event, atMs);
      case 'tool:started':
      case 'skill:started':
        return this.#call(event, atMs);
      case 'tool:completed':
      case 'tool:failed':
      case 'skill:completed':
      case 'skill:failed':
        return this.#called(event, atMs);
      case 'execution:halted': {
        const command = textField(data, 'command_id');
        const by = textField(data, 'initiated_by');
        const attributes = {
          ...(command === null ? {} : { 'shannon.command.id': command }),
          ...(by === null ? {} : { 'shannon.by': nameText(by) }),
        };
        return this.#start('halt', { kind: 'halt', name: 'shannon.halted', seq, atMs, attributes, parent: this.#rootId });
      }
      case 'execution:resumed':
        return this.#finish('halt', { atMs });
      default:
        if (/^(?:command|decision):/.test(type)) this.#note(event, atMs);
        return [];
    }
  }

  #agent({ type, data, seq }: SessionEvent, atMs: number): TracedSpan[] {
    const agentId = textField(data, 'agent_id');
    if (agentId === null) return [];
    const key = `agent ${agentId}`;
    const isNew = type === 'agent:spawned' || !this.#agentIds.has(agentId);
    const role = textField(data, 'role');
    const name = nameText(role ?? agentId);
    const attributes: SpanAttributes = {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.id': nameText(agentId),
      'gen_ai.agent.name': name,
      ...this.#content('input.value', data['task']),
    };
    const startMs = type === 'agent:completed' ? startOf(data, atMs) : atMs;
    const begun = { kind: 'agent', name: `invoke_agent ${name}`, seq, atMs: startMs, attributes, parent: this.#rootId } as const;
    const restarted = isNew ? this.#start(key, begun) : [];
    const spanId = this.#open.get(key)?.spanId;
    if (spanId !== undefined) this.#noteAgent(agentId, spanId);
    if (type !== 'agent:completed') return restarted;
    const usage = this.#state.usage_by_agent.find((each) => each.agent_id === agentId);
    const error = data['success'] === false ? (errorTextOf(data, 'error') ?? 'The agent failed') : undefined;
    return [
      ...restarted,
      ...this.#finish(key, { atMs, error, attributes: { ...modelAttributes(this.#state), ...usageAttributes(usage) } }),
    ];
  }

  #noteAgent(agentId: string, spanId: string): void {
    this.#agentIds.set(agentId, spanId);
    const [oldest] = this.#agentIds.keys();
    if (this.#agentIds.size > mostAgents && oldest !== undefined) this.#agentIds.delete(oldest);
  }

  #call({ type, data, seq }: SessionEvent, atMs: number, startMs = atMs): TracedSpan[] {
    const { kind, name, id } = callOf(type, data);
    if (name === null) return [];
    const agentId = textField(data, 'agent_id');
    const attributes = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': nameText(name),
      ...(id === null ? {} : { 'gen_ai.tool.call.id': nameText(id) }),
      'shannon.kind': kind,
      ...this.#content('gen_ai.tool.call.arguments', data['input'] ?? data['parameters']),
    };
    const parent = (agentId === null ? undefined : this.#agentIds.get(agentId)) ?? this.#rootId;
    return this.#start(`${kind} ${id ?? name}`, { kind, name: `execute_tool ${nameText(name)}`, seq, atMs: startMs, attributes, parent });
  }

  #called(event: SessionEvent, atMs: number): TracedSpan[] {
    const { type, data } = event;
    const { kind, name, id } = callOf(type, data);
    const named = `execute_tool ${nameText(name ?? '')}`;
    const key = [`${kind} ${id ?? name}`, `${kind} ${name}`].find((each) => this.#open.has(each)) ?? this.#keyNamed(kind, named);
    const error = type.endsWith(':failed') ? (errorTextOf(data, 'error') ?? 'It failed') : undefined;
    const end = { atMs, error, attributes: this.#content('gen_ai.tool.call.result', data['result']) };
    if (key !== undefined) return this.#finish(key, end);
    // Its start was never told.
    return [...this.#call(event, atMs, startOf(data, atMs)), ...this.#finish(`${kind} ${id ?? name}`, end)];
  }

  /** The call of this name that began last. */
  #keyNamed(kind: Kind, name: string): string | undefined {
    return [...this.#open].findLast(([, span]) => span.kind === kind && span.name === name)?.[0];
  }

  /** Begins a span; one with the same key, whose end was never told, ends with that. */
  #start(
    key: string,
    {
      kind,
      name,
      seq,
      atMs,
      attributes,
      parent,
    }: { kind: Kind; name: string; seq: number; atMs: number; attributes: SpanAttributes; parent: string | undefined },
  ): TracedSpan[] {
    const former = this.#finish(key, { atMs, attributes: { 'shannon.outcome': 'lost' } });
    this.#open.set(key, { kind, name, spanId: spanIdOf(this.#traceId, kind, seq), parentSpanId: parent, startMs: atMs, attributes });
    const [oldest] = this.#open.keys();
    if (this.#open.size > mostOpen && oldest !== undefined) this.#open.delete(oldest);
    return former;
  }

  #finish(key: string, end: End): TracedSpan[] {
    const span = this.#open.get(key);
    this.#open.delete(key);
    return span === undefined ? [] : [this.#ended(span, end)];
  }

  /** A command's step, a question or its answer: a moment of the workflow. */
  #note({ type, data }: SessionEvent, atMs: number): void {
    const isCommand = type.startsWith('command:');
    const [group, step = ''] = type.split(':');
    const values = {
      id: textField(data, isCommand ? 'command_id' : 'decision_id'),
      type: textField(data, 'command_type'),
      status: type === 'decision:point' ? 'asked' : step,
      by: textField(data, isCommand ? 'by' : 'made_by'),
      choice: textField(data, 'choice'),
      ...(this.#hasContent ? { question: textField(data, 'question') } : {}),
    };
    const attributes: SpanAttributes = {};
    for (const [name, value] of Object.entries(values)) if (value !== null) attributes[`shannon.${group}.${name}`] = nameText(value);
    this.#rootEvents.push({ name: `shannon.${group}`, atMs, attributes });
    if (this.#rootEvents.length <= mostEvents) return;
    this.#rootEvents.shift();
    this.#droppedEvents++;
  }

  /** The end of the workflow, and of everything in it whose end was not told. */
  #end({ type, data }: SessionEvent, atMs: number): TracedSpan[] {
    const root = this.#root;
    if (root === undefined) return [];
    const spans = [...this.#open.values()].map((span) => {
      const isLost = span.kind !== 'halt';
      return this.#ended(span, { atMs, attributes: isLost ? { 'shannon.outcome': 'lost' } : {} });
    });
    this.#open.clear();
    this.#root = undefined;
    const error = type === 'execution:failed' ? (errorTextOf(data, 'error') ?? 'It failed') : undefined;
    const attributes = {
      ...modelAttributes(this.#state),
      ...usageAttributes(this.#state.usage),
      ...this.#content('output.value', data['result']),
    };
    const ended = this.#ended(root, { atMs, error, attributes });
    return [...spans, { ...ended, events: this.#rootEvents, droppedEvents: this.#droppedEvents }];
  }

  #ended({ kind, name, spanId, parentSpanId, startMs, attributes }: OpenSpan, end: End): TracedSpan {
    const shown = kind === 'agent' ? 'AGENT' : kind === 'tool' || kind === 'skill' ? 'TOOL' : 'CHAIN';
    return {
      name,
      traceId: this.#traceId,
      spanId,
      parentSpanId,
      startMs,
      endMs: Math.max(startMs, end.atMs),
      error: end.error === undefined ? undefined : nameText(end.error),
      attributes: {
        ...sessionAttributes(this.#state.session_id, shown),
        ...attributes,
        ...(end.error === undefined ? {} : { 'error.type': '_OTHER' }),
        ...end.attributes,
      },
      events: [],
      droppedEvents: 0,
    };
  }

  #content(name: string, value: unknown): SpanAttributes {
    return this.#hasContent && value !== undefined && value !== null ? { [name]: contentText(value) } : {};
  }
}

/** When something began of which only the end and its length are told. */
function startOf(data: Data, atMs: number): number {
  return atMs - Math.max(0, numberOf(data, 'duration') ?? 0) * 1_000;
}

function callOf(type: string, data: Data): { kind: 'tool' | 'skill'; name: string | null; id: string | null } {
  const kind = type.startsWith('tool:') ? 'tool' : 'skill';
  const id = textField(data, `${kind}_id`);
  return { kind, name: textField(data, `${kind}_name`) ?? id, id };
}
