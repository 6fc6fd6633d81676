import { adapters } from '../../adapters/adapters.ts';
import type { Adapter } from '../../adapters/adapter.ts';
import { agentSessionId } from '../../adapters/agent-session-id.ts';
import { isCodingAgent } from '../../adapters/coding-agents.ts';
import type { Signal } from '../../adapters/signal.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { agentLimits } from '../../core/protocol/limits.ts';
import { cutText } from '../../core/text/cut-text.ts';
import type { Detachment } from '../commands/attachment/detachment.ts';
import type { OpenWorkTreeCheckpoints } from './work-tree-checkpoints.ts';
import { AttendedSession } from './attended-session.ts';
import { isRunning } from './agent-process.ts';
import { currentBranch } from '../../git/current-branch.ts';
import type { HookRequest } from './hook-request.ts';

/** A hook as it comes to the edge. */
export interface IncomingHook extends Omit<HookRequest, 'adapter' | 'signal'> {
  /** The name in the path. */
  agent: string;
  input: unknown;
  /** In whose workspace; undefined in the server's own. */
  tenant: string | undefined;
}

export interface AgentHooksOptions {
  /** The longest that a hook is held, where that is less than its agent waits. */
  mostHoldMs?: number | undefined;
  /** Opens the checkpoints of a work tree. Absent: none are taken. */
  openCheckpoints?: OpenWorkTreeCheckpoints | undefined;
  onProblem: (error: unknown) => void;
}

/** The body that the agent is answered. */
export interface HookAnswer {
  body: Record<string, unknown>;
  /** To be called once: whether it has left before the agent stopped to wait for it. */
  onSent: (isTaken: boolean) => void;
}

const gone: Detachment = { code: 'connection_lost', reason: "the agent's process has ended" };
const silent: Detachment = { code: 'no_answer', reason: 'nothing was heard of the agent for a long time' };
const stopped: Detachment = { code: 'closed_by_server', reason: 'the server stopped' };

/** Takes what coding agents say by their hooks, and decides what they are answered. Each session of an agent is attended as long as it lives. */
export class AgentHooks {
  readonly #sessions = new Map<string, AttendedSession>();
  readonly #options: AgentHooksOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(options: AgentHooksOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), agentLimits.lookMs);
    this.#timer.unref();
  }

  /** How many agents are attended. */
  get size(): number {
    return this.#sessions.size;
  }

  /** @throws ShannonDashError NOT_FOUND there is no such agent; INVALID it is no hook of it; and what the policy refuses */
  async take({ agent, input, tenant, ...request }: IncomingHook): Promise<HookAnswer> {
    const adapter = isCodingAgent(agent) ? adapters[agent] : undefined;
    if (adapter === undefined) throw new ShannonDashError('NOT_FOUND', `There is no adapter for the agent ${cutText(agent, 100)}`);
    const signal = adapter.parse(input);
    const hook: HookRequest = { ...request, adapter, signal };
    const sessionId = request.under?.session ?? ownSession(adapter, signal);
    const { answer, onSent } = await this.#attended(tenant, sessionId, hook).take(hook);
    return { body: adapter.write(signal, answer), onSent };
  }

  /** Answers what is held, and lets every session go. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled([...this.#sessions.values()].map((each) => each.leave(stopped)));
  }

  #attended(tenant: string | undefined, sessionId: string, first: HookRequest): AttendedSession {
    const key = `${tenant ?? ''}\n${sessionId}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    if (this.#sessions.size >= agentLimits.attended) this.#makeRoom();
    const session: AttendedSession = new AttendedSession({
      sessionId,
      first,
      branchOf: currentBranch,
      ...this.#options,
      onEnd: () => {
        if (this.#sessions.get(key) === session) this.#sessions.delete(key);
      },
    });
    this.#sessions.set(key, session);
    return session;
  }

  /** The one that was silent for longest makes room; its next hook takes it up again. */
  #makeRoom(): void {
    const free = [...this.#sessions.values()].filter((each) => !each.isBusy);
    const oldest = free.toSorted((one, other) => one.heardAtMs - other.heardAtMs)[0];
    if (oldest === undefined) {
      const sentence = `${this.#sessions.size} sessions of agents are attended already`;
      throw new ShannonDashError('LIMIT_REACHED', sentence, undefined, { limit: 'agents' });
    }
    this.#letGo(oldest, silent);
  }

  #look(): void {
    for (const session of this.#sessions.values()) {
      if (session.pid !== undefined) {
        if (!isRunning(session.pid)) this.#letGo(session, gone);
      } else if (!session.isBusy && performance.now() - session.heardAtMs > agentLimits.silenceMs) this.#letGo(session, silent);
    }
  }

  #letGo(session: AttendedSession, detachment: Detachment): void {
    session.leave(detachment).catch(this.#options.onProblem);
  }
}

/** @throws ShannonDashError INVALID */
function ownSession({ agent }: Adapter, { session }: Signal): string {
  const id = agentSessionId(agent, session);
  if (id === undefined) throw new ShannonDashError('INVALID', `session_id: ${cutText(session, 100)} cannot be the id of a session`);
  return id;
}
