import type { Adapter } from '../../adapters/adapter.ts';
import type { Signal } from '../../adapters/signal.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { HookRequest } from './hook-request.ts';

/** Sessions of agents that are told apart within one session: those of agents that an agent under `run` has started. */
const mostNames = 200;

/**
 * The names of agents within one session. The first agent is the session's own. Another one that reports to the same session, because a
 * program under `run` has started several, has a name of its own.
 */
export class AgentNames {
  readonly #first: string;
  readonly #names = new Map<string, string>();

  constructor({ adapter, signal }: HookRequest) {
    this.#first = nameOf(adapter, signal);
  }

  /** Null for the session's own agent. */
  of(signal: Signal, adapter: Adapter, { agents }: Pick<SessionState, 'agents'>): string | null {
    const key = nameOf(adapter, signal);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = `${adapter.agent}-${signal.session.slice(0, 8)}`;
    // After a restart of the server another one may speak first.
    if (key === this.#first && !agents.some(({ agent_id }) => agent_id === name)) return null;
    if (this.#names.size < mostNames) this.#names.set(key, name);
    return name;
  }
}

function nameOf({ agent }: Adapter, { session }: Signal): string {
  return `${agent} ${session}`;
}
