import { expect } from 'vitest';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { CommandResult } from '../../src/core/protocol/command.ts';
import { http, publish, type Json, type TestServer } from './start-server.ts';

/** A hook that was fired, and what it is answered once it is. */
export interface FiredHook {
  answer: Promise<Json>;
  /** The agent does not wait for it any more. */
  giveUp: () => void;
}

/** Fires hooks as Claude Code does, over HTTP, and looks at the session that comes of them. */
export class HookedAgent {
  readonly session: string;
  readonly #server: Pick<TestServer, 'url'>;
  readonly #name: string;
  readonly #headers: Record<string, string>;
  readonly #cwd: string;

  constructor(
    server: Pick<TestServer, 'url'>,
    {
      name = 'one',
      session,
      headers = {},
      cwd = '/home/dev/shop',
    }: { name?: string; session?: string; headers?: Record<string, string>; cwd?: string } = {},
  ) {
    this.#server = server;
    this.#name = name;
    this.#headers = headers;
    this.#cwd = cwd;
    this.session = session ?? `claude-code-${name}`;
  }

  /** Fires a hook, which may be held. */
  fire(hook_event_name: string, fields: Json = {}): FiredHook {
    const abort = new AbortController();
    const payload = { session_id: this.#name, cwd: this.#cwd, hook_event_name, ...fields };
    const answer = fetch(`${this.#server.url}/api/hooks/claude-code`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.#headers },
      body: JSON.stringify(payload),
      signal: abort.signal,
    }).then(async (response) => {
      const body = (await response.json()) as Json;
      if (response.status !== 200) throw new Error(`${hook_event_name} was refused: ${JSON.stringify(body)}`);
      return body;
    });
    // A hook that was given up, or whose server is gone, has no answer.
    answer.catch(() => undefined);
    return { answer, giveUp: () => abort.abort() };
  }

  /** Fires a hook that is answered at once. */
  say(event: string, fields: Json = {}): Promise<Json> {
    return this.fire(event, fields).answer;
  }

  /** The agent is about to call a tool. */
  call(tool_use_id: string, fields: Json = {}): FiredHook {
    return this.fire('PreToolUse', { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id, ...fields });
  }

  /** The call is over. */
  done(tool_use_id: string, fields: Json = {}): Promise<Json> {
    return this.say('PostToolUse', { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id, tool_response: 'ok', ...fields });
  }

  async state(): Promise<SessionState> {
    return (await http<SessionState>('GET', `${this.#server.url}/api/sessions/${this.session}`)).body;
  }

  async events(): Promise<SessionEvent[]> {
    const { body } = await http<{ events: SessionEvent[] }>('GET', `${this.#server.url}/api/sessions/${this.session}/events?limit=10000`);
    return body.events;
  }

  async types(): Promise<string[]> {
    return (await this.events()).map(({ type }) => type);
  }

  /** Sends a command, and waits at most `timeout_ms` for its end. */
  async command(type: string, fields: Json = {}): Promise<CommandResult> {
    const body = { type, timeout_ms: 5_000, ...fields };
    return (await http<CommandResult>('POST', `${this.#server.url}/api/sessions/${this.session}/commands`, body)).body;
  }

  /** Publishes an event to the session, as another program can. */
  publish(event: Json): Promise<Json> {
    return publish(this.#server, this.session, event);
  }

  /** Waits until the state of the session is so. */
  async until(what: (state: SessionState) => unknown): Promise<SessionState> {
    await expect.poll(async () => Boolean(what(await this.state())), { timeout: 10_000, interval: 20 }).toBe(true);
    return this.state();
  }

  /** Waits until a call stands in the session: its hook was heard. */
  async untilCalled(toolId: string): Promise<void> {
    await this.until(({ tools }) => (tools as SessionState['tools'] | undefined)?.some(({ tool_id }) => tool_id === toolId));
  }
}

/** Whether a hook is answered yet. */
export async function isAnswered({ answer }: FiredHook): Promise<boolean> {
  return Promise.race([answer.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}
