import { textField, type Data } from '../../core/fold/fold-values.ts';
import { receivedAt, type SessionEvent } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';

/** Something that has an end, and may have a length. */
interface Ended {
  ended_at: string | null;
  duration_ms: number | null;
}

/** What begins and ends: how events name it, which of them begin and end it, and where the state has it. */
interface Lasting {
  idOf: (data: Data) => string | null;
  begins: string;
  ends: ReadonlySet<string>;
  inState: (state: SessionState, id: string) => Ended | undefined;
}

/** A map, for groups of types come from outside. */
const lasting: ReadonlyMap<string, Lasting> = new Map<string, Lasting>([
  [
    'skill',
    {
      idOf: (data) => textField(data, 'skill_id') ?? textField(data, 'skill_name'),
      begins: 'skill:started',
      ends: new Set(['skill:completed', 'skill:failed']),
      inState: ({ skills }, id) => skills.findLast((each) => each.skill_id === id),
    },
  ],
  [
    'tool',
    {
      idOf: (data) => textField(data, 'tool_id') ?? textField(data, 'tool_name'),
      begins: 'tool:started',
      ends: new Set(['tool:completed', 'tool:failed']),
      inState: ({ tools }, id) => tools.findLast((each) => each.tool_id === id),
    },
  ],
  [
    'agent',
    {
      idOf: (data) => textField(data, 'agent_id'),
      begins: 'agent:spawned',
      ends: new Set(['agent:completed']),
      inState: ({ agents }, id) => agents.find((each) => each.agent_id === id),
    },
  ],
  [
    'validation',
    {
      idOf: (data) => textField(data, 'check_name'),
      begins: 'validation:started',
      ends: new Set(['validation:result']),
      inState: ({ validations }, id) => validations.find((each) => each.check_name === id),
    },
  ],
  [
    'decision',
    {
      idOf: (data) => textField(data, 'decision_id'),
      begins: 'decision:point',
      ends: new Set(['decision:made']),
      inState: ({ decisions }, id) => {
        const decision = decisions.find((each) => each.decision_id === id);
        return decision === undefined ? undefined : between(decision.asked_at, decision.made_at);
      },
    },
  ],
  [
    'execution',
    {
      idOf: () => '',
      begins: 'execution:started',
      ends: new Set(['execution:completed', 'execution:failed']),
      inState: ({ started_at, ended_at }) => (started_at === null ? undefined : between(started_at, ended_at)),
    },
  ],
]);

/** How long that took which an event has ended: of the events of one session, as far as they are seen or its state knows. */
export class Lengths {
  readonly #state: SessionState | undefined;
  readonly #began = new Map<string, string>();

  /** @param state of the session after the events, or later */
  constructor(state: SessionState | undefined) {
    this.#state = state;
  }

  /** The event with its `duration`, where it has none and it is known. Called with each event in order. */
  withDuration(event: SessionEvent): SessionEvent {
    const { type, data } = event;
    const group = type.slice(0, type.indexOf(':'));
    const kind = lasting.get(group);
    const id = kind?.idOf(data) ?? null;
    if (kind === undefined || id === null) return event;
    const key = `${group} ${id}`;
    const at = receivedAt(event);
    if (type === kind.begins) this.#began.set(key, at);
    if (!kind.ends.has(type) || data['duration'] !== undefined) return event;
    const began = this.#began.get(key);
    const known = this.#state === undefined ? undefined : kind.inState(this.#state, id);
    // By the state's time it may have begun and ended again.
    const lasted = known?.ended_at === at ? known : began === undefined ? undefined : between(began, at);
    // What its end was the first to tell of has no length that is known.
    if (lasted === undefined || lasted.duration_ms === null || lasted.duration_ms === 0) return event;
    return { ...event, data: { ...data, duration: lasted.duration_ms / 1_000 } };
  }
}

function between(from: string, to: string | null): Ended {
  const ms = to === null ? Number.NaN : Date.parse(to) - Date.parse(from);
  return { ended_at: to, duration_ms: Number.isNaN(ms) ? null : Math.max(0, ms) };
}
