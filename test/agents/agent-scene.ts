import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { until } from '../cli/run-place.ts';
import { newPlace, runProgram, StartedProgram, type End, type Place } from '../cli/started-program.ts';
import { http } from '../helpers/start-server.ts';
import { AgentOnTerminal } from './agents/agent-on-terminal.ts';
import { drivenAgents } from './agents/driven-agents.ts';
import type { AgentHome } from './agents/driven-agent.ts';
import { installedAgent, type RunnableAgent } from './agents/installed-agent.ts';
import { StartedAgent } from './agents/started-agent.ts';
import type { Conversations } from './model/conversation.ts';
import { ScriptedModel } from './model/scripted-model.ts';

/** OpenCode takes half a minute to start on a busy machine, as it looks for what its plugins need. */
const patienceMs = 150_000;

/** A row of the ledger, as `commands --json` tells it. */
export interface LedgerRow {
  command_id: string;
  command_type: string;
  status: string;
  error?: string | null;
  result?: unknown;
}

/** A real agent with its hooks installed, the real server, and a scripted model. All of it ends with the test. */
export class AgentScene {
  readonly agent: RunnableAgent;
  readonly home: AgentHome;
  readonly model: ScriptedModel;
  readonly place: Place;
  #server: StartedProgram;
  #command: readonly [string, ...string[]];
  #env: Record<string, string>;

  private constructor(
    agent: RunnableAgent,
    parts: {
      home: AgentHome;
      model: ScriptedModel;
      place: Place;
      server: StartedProgram;
      command: readonly [string, ...string[]];
      env: Record<string, string>;
    },
  ) {
    this.agent = agent;
    this.home = parts.home;
    this.model = parts.model;
    this.place = parts.place;
    this.#server = parts.server;
    this.#command = parts.command;
    this.#env = parts.env;
  }

  /** @param options of `hook install` */
  static async open(agent: RunnableAgent, conversations: Conversations, ...options: string[]): Promise<AgentScene> {
    const driven = drivenAgents[agent];
    const command = await installedAgent(agent);
    const model = await ScriptedModel.start(driven.api, conversations);
    onTestFinished(() => model.close());
    const { folder, env } = newPlace();
    // Where an agent that knows its home only looks for its settings.
    const empty = { ...env, XDG_CONFIG_HOME: join(folder, '.config') };
    const server = await started(['--port', '0'], { folder, env: empty });
    const place = { folder, env: { ...empty, SHANNON_DASH_URL: urlOf(server) } };
    const home = { home: folder, work: join(folder, 'work'), modelUrl: model.url };
    mkdirSync(home.work);
    execFileSync('git', ['init', '-q', '-b', 'main'], { cwd: home.work });
    const agentEnv = await driven.configure(home);
    // What an agent leaves running may write still, when the place is to go.
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const scene = new AgentScene(agent, { home, model, place, server, command, env: agentEnv });
    const { code, stderr } = await scene.run('hook', 'install', agent, ...options);
    if (code !== 0) throw new Error(stderr);
    return scene;
  }

  get url(): string {
    return urlOf(this.#server);
  }

  /** Runs our program to its end. */
  run(...args: string[]): Promise<End> {
    return runProgram(args, this.place);
  }

  /** Answers a decision that may be made already. */
  async answerLate({ data }: SessionEvent, choice: string): Promise<End> {
    return this.run('send', 'DECISION', '-s', await this.session(), '--decision', String(data['decision_id']), '--choice', choice);
  }

  /** Runs our program with --json, and reads what it prints. */
  async json<Answer>(...args: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    if (stdout === '') throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Answer;
  }

  /** Starts the agent with a prompt; it ends when it has answered. */
  prompt(text: string, options: { resume?: string; args?: string[] } = {}): StartedAgent {
    const { once, headless = [] } = drivenAgents[this.agent];
    return this.start(...headless, ...(options.args ?? []), ...once(text, options));
  }

  /** Starts the agent's program. */
  start(...args: string[]): StartedAgent {
    const agent = new StartedAgent([...this.#command, ...args], this.home, this.#env);
    onTestFinished(() => agent.kill());
    return agent;
  }

  /** Starts the agent on a terminal. */
  onTerminal(...args: string[]): AgentOnTerminal {
    const agent = new AgentOnTerminal([...this.#command, ...args], this.home, this.#env);
    onTestFinished(() => agent.kill());
    return agent;
  }

  /** The sessions that the server knows. */
  async sessions(): Promise<SessionState[]> {
    return (await this.json<{ sessions: SessionState[] }>('sessions')).sessions;
  }

  /** The id of the only session, once there is one. */
  async session(): Promise<string> {
    let found: string | undefined;
    await until(
      'a session',
      async () => {
        const { body } = await http<{ sessions?: { session_id: string }[] }>('GET', `${this.url}/api/sessions`);
        found = body.sessions?.[0]?.session_id;
        return found !== undefined;
      },
      patienceMs,
    );
    return found as string;
  }

  async state(): Promise<SessionState> {
    const { body } = await http<SessionState>('GET', `${this.url}/api/sessions/${await this.session()}`);
    return body;
  }

  async events(type?: string): Promise<SessionEvent[]> {
    const { body } = await http<{ events?: SessionEvent[] }>('GET', `${this.url}/api/sessions/${await this.session()}/events?limit=10000`);
    return (body.events ?? []).filter((event) => type === undefined || event.type === type);
  }

  /** Waits for an event, from now on or before. */
  async untilEvent(type: string, matches: (data: Record<string, unknown>) => boolean = () => true): Promise<SessionEvent> {
    let found: SessionEvent | undefined;
    const happened = async () => (found = (await this.events(type)).find(({ data }) => matches(data))) !== undefined;
    await until(`${type} of ${this.agent}`, happened, patienceMs).catch(async (error: Error) => {
      const told = (await this.events()).map((event) => `${event.seq} ${event.type} ${JSON.stringify(event.data).slice(0, 200)}`);
      throw new Error(`${error.message}\n${told.join('\n')}`);
    });
    return found as SessionEvent;
  }

  /** Sends a command with the program; gives its row of the ledger as soon as it is written. */
  async send(type: string, ...args: string[]): Promise<string> {
    const sent = await this.json<{ command_id: string }>('send', type, '-s', await this.session(), '--wait', 'queued', ...args);
    return sent.command_id;
  }

  async ledger(): Promise<LedgerRow[]> {
    return (await this.json<{ commands: LedgerRow[] }>('commands', '-s', await this.session())).commands;
  }

  async row(commandId: string): Promise<LedgerRow | undefined> {
    return (await this.ledger()).find(({ command_id }) => command_id === commandId);
  }

  /** Waits until a command has come to a state. */
  async untilRow(commandId: string, status: string): Promise<LedgerRow> {
    let row: LedgerRow | undefined;
    await until(`${status} of ${commandId}`, async () => (row = await this.row(commandId))?.status === status, patienceMs).catch(
      (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(row)}`);
      },
    );
    return row as LedgerRow;
  }

  /** Ends the server by a signal, and gives back what starts it again on the same port. */
  async killServer(): Promise<() => Promise<void>> {
    const { port } = new URL(this.url);
    this.#server.child.kill('SIGKILL');
    await this.#server.ended;
    return async () => {
      this.#server = await started(['--port', port], this.place);
    };
  }
}

async function started(args: string[], place: Place): Promise<StartedProgram> {
  const server = new StartedProgram(['serve', '--json', ...args], place);
  await server.until(({ stdout }) => stdout.includes('\n'));
  return server;
}

function urlOf({ stdout }: StartedProgram): string {
  return (JSON.parse(stdout) as { url: string }).url;
}
