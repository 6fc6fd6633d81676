import type { Adapter } from '../../adapters/adapter.ts';
import type { Signal } from '../../adapters/signal.ts';
import { newId } from '../../core/ids.ts';

/** Calls that are remembered: those that have not ended, and no more. */
const mostCalls = 500;

/** Of calls that are the same word for word, so many. */
const sameCalls = 20;

type OfCall = Extract<Signal, { tool: unknown }>;

/**
 * Joins what an agent says of one call at several times: a question for permission names the tool and its input, and not the call; the
 * start of a sub-agent does not name the call that has started it. An agent that gives its calls no ids gets some.
 */
export class CallNames {
  /** By agent, tool and input. */
  readonly #ids = new Map<string, readonly string[]>();
  /** By the id of the call: what the sub-agents are to do that have not started yet. */
  readonly #tasks = new Map<string, { role: unknown; task: string }>();

  /** The signal with the id of its call, as far as that is known. */
  named(signal: Signal, { abilities }: Adapter): Signal {
    if (signal.kind === 'agent-started' && signal.task === null) return { ...signal, task: this.#taskOf(signal.role) };
    if (!('tool' in signal)) return signal;
    const named = this.#withId(signal);
    if (abilities.agentTools.includes(named.tool.name)) this.#noteTask(named);
    return named;
  }

  #withId(signal: OfCall): OfCall {
    const { tool, kind } = signal;
    const key = JSON.stringify([signal.agentId, tool.name, tool.input]).slice(0, 10_000);
    const known = this.#ids.get(key) ?? [];
    // Of calls that are the same word for word, the newest is meant: one before it may have been denied.
    const id = tool.id ?? (kind === 'tool-starting' ? newId() : known.at(-1));
    if (id === undefined) return signal;
    const others = known.filter((each) => each !== id);
    const isEnd = kind === 'tool-ended' || kind === 'tool-failed' || kind === 'permission-denied';
    this.#keep(key, isEnd ? others : [...others, id]);
    return tool.id === null ? { ...signal, tool: { ...tool, id } } : signal;
  }

  #keep(key: string, ids: readonly string[]): void {
    this.#ids.delete(key);
    if (ids.length === 0) return;
    const [oldest] = this.#ids.keys();
    if (this.#ids.size >= mostCalls && oldest !== undefined) this.#ids.delete(oldest);
    this.#ids.set(key, ids.slice(-sameCalls));
  }

  #noteTask({ kind, tool: { id, input } }: OfCall): void {
    if (id === null) return;
    if (kind !== 'tool-starting') this.#tasks.delete(id);
    else if (typeof input === 'object' && input !== null && this.#tasks.size < mostCalls) {
      const { description, subagent_type: role } = input as Record<string, unknown>;
      if (typeof description === 'string') this.#tasks.set(id, { role, task: description });
    }
  }

  /** Null where more than one call can be the one that has started it: a wrong task is worse than none. */
  #taskOf(role: string | null): string | null {
    const found = [...this.#tasks].filter(([, each]) => each.role === undefined || each.role === role);
    const [only] = found;
    if (only === undefined || found.length > 1) return null;
    this.#tasks.delete(only[0]);
    return only[1].task;
  }
}
