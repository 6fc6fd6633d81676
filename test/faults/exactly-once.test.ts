import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectOperator } from '../../src/client/operator.ts';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import { connectWatcher } from '../../src/client/watcher/watcher.ts';
import {
  commandTypes as allCommandTypes,
  isFinal,
  type CommandInput,
  type CommandResult,
  type CommandType,
} from '../../src/core/protocol/command.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { createServer } from '../../src/server/create-server.ts';
import { startCuttingProxy, type CuttingProxy } from '../helpers/cutting-proxy.ts';
import { newPostgresJournal } from '../helpers/postgres-journal.ts';
import { hasPostgres } from '../helpers/postgres-server.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { shareJournal } from '../helpers/shared-journal.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const session = 's';
/** Commands of each type. By hand: `COMMANDS_PER_TYPE=500`, with 50 cuts and 10 kills. */
const perType = Number(process.env['COMMANDS_PER_TYPE'] ?? 50);
/** A STOP has no event of its own: its program says that it ended. */
const commandTypes = allCommandTypes.filter((type) => type !== 'STOP');
const total = perType * commandTypes.length;
const cuts = perType / 10;
const kills = Math.ceil(perType / 50);

/** The event that says in the journal that a command took effect. */
const effectTypes: Partial<Record<CommandType, string>> = {
  HALT: 'execution:halted',
  RESUME: 'execution:resumed',
  ROLLBACK: 'execution:rollback',
  REDIRECT: 'execution:redirect',
  DECISION: 'decision:made',
  INJECT: 'skill:injected',
};

/** Does things one after the other as the work goes on, each when so many commands have ended. */
class Chaos {
  done = 0;
  readonly #plan: { at: number; run: () => Promise<void> }[];
  #tail: Promise<void> = Promise.resolve();

  constructor(plan: { at: number; run: () => Promise<void> }[]) {
    this.#plan = plan.toSorted((a, b) => a.at - b.at);
  }

  commandEnded(): void {
    this.done++;
    while ((this.#plan[0]?.at ?? Infinity) <= this.done) this.#tail = this.#tail.then(this.#plan.shift()?.run);
  }

  get settled(): Promise<void> {
    return this.#tail;
  }
}

function neverOperator(): never {
  throw new Error('there is an operator for each lane');
}

const evenly = (count: number) => Array.from({ length: count }, (_, n) => Math.round(((n + 0.5) * total) / count));

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function cutOnce(proxy: CuttingProxy, isLive: () => boolean): Promise<void> {
  await until('a connection to cut', () => proxy.connections > 0 && isLive());
  proxy.cut();
}

/** The whole journal, over HTTP. */
async function journalOf(url: string): Promise<SessionEvent[]> {
  const text = await (
    await fetch(`${url}/api/sessions/${session}/events?limit=10000`, { headers: { accept: 'application/x-ndjson' } })
  ).text();
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SessionEvent);
  if (events.length < 10_000) return events;
  const rest = await fetch(`${url}/api/sessions/${session}/events?limit=10000&after=10000`, {
    headers: { accept: 'application/x-ndjson' },
  });
  return [
    ...events,
    ...(await rest.text())
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as SessionEvent),
  ];
}

/** Watches the session from its first event on, until it ends. */
async function watch(urls: string[]): Promise<{ events: SessionEvent[]; close: () => Promise<void> }> {
  const watcher = await connectWatcher({ urls, session, after: 'start' });
  const events: SessionEvent[] = [];
  onTestFinished(() => watcher.close());
  void (async () => {
    for await (const event of watcher) events.push(event);
  })();
  return { events, close: () => watcher.close() };
}

/** The servers that the commands go through. */
interface Servers {
  /** Where operators and watchers connect: each takes the next one. */
  urls: string[];
  /** Where the orchestrator's next connection goes. */
  port: () => number;
  /** One server ends without a word, and is there again. */
  kill: () => Promise<void>;
}

/** One server over a journal in a file, in a process of its own. */
async function oneServer(): Promise<Servers> {
  const journal = join(await temporaryFolder(), 'journal.sqlite');
  let server = await startServerProcess(journal);
  const { url, port } = server;
  const kill = async () => {
    const { signal } = await server.end('SIGKILL');
    expect(signal).toBe('SIGKILL');
    server = await startServerProcess(journal, port);
  };
  return { urls: [url], port: () => port, kill };
}

/** Two servers over one journal. The orchestrator comes back to either of them. */
async function twoServers(): Promise<Servers> {
  const common = new MemoryJournal();
  const projectFolder = await temporaryFolder();
  const start = async (port: number) => {
    const share = shareJournal(common);
    const server = await createServer({ journal: share.journal, projectFolder });
    return { ...(await server.listen({ port })), share, server };
  };
  const servers = [await start(0), await start(0)];
  onTestFinished(async () => {
    for (const { server } of servers) await server.close();
  });
  let connections = 0;
  let killed = 0;
  const at = (index: number) => servers[index % servers.length] ?? neverServer();
  const kill = async () => {
    const index = killed++ % servers.length;
    const { share, server, port } = at(index);
    share.crash();
    await server.close();
    servers[index] = await start(port);
  };
  return { urls: servers.map(({ url }) => url), port: () => at(connections++).port, kill };
}

/** Three servers in processes of their own over one journal in PostgreSQL. The orchestrator comes back to any of them. */
async function threeServers(): Promise<Servers> {
  const journal = newPostgresJournal();
  const servers = await Promise.all([1, 2, 3].map(() => startServerProcess(journal)));
  let connections = 0;
  let killed = 0;
  const at = (index: number) => servers[index % servers.length] ?? neverServer();
  const kill = async () => {
    const index = killed++ % servers.length;
    const { port } = at(index);
    expect(await at(index).end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    servers[index] = await startServerProcess(journal, port);
  };
  return { urls: servers.map(({ url }) => url), port: () => at(connections++).port, kill };
}

function neverServer(): never {
  throw new Error('there are two servers');
}

test.for<[string, () => Promise<Servers>, boolean]>([
  ['one server', oneServer, true],
  ['two servers over one journal', twoServers, true],
  ['three servers over PostgreSQL', threeServers, hasPostgres],
])(
  `$0: ${total} commands over ${cuts} cuts and ${kills} kills: each takes effect once and ends once, and all see the same`,
  { timeout: 200_000 + 200 * total },
  async ([, startServers, isPossible], { skip }) => {
    skip(!isPossible, 'no PostgreSQL answers');
    const startedAt = performance.now();
    const servers = await startServers();
    const urlOf = (index: number) => servers.urls[index % servers.urls.length] ?? neverServer();
    /** One server first, and when it is killed another. */
    const urlsFrom = (index: number) => servers.urls.map((_, n) => urlOf(index + n));
    const proxy = await startCuttingProxy(servers.port);

    const orchestrator = await connectOrchestrator({
      url: proxy.url,
      session,
      instanceId: 'worker',
      capabilities: commandTypes,
      client: 'worker',
    });
    onTestFinished(() => orchestrator.close());
    const executions = new Map<string, number>();
    for (const type of commandTypes) {
      orchestrator.onCommand(type, ({ command_id }) => {
        // Without an id: following what the server resumed while this was away.
        if (command_id !== '') executions.set(command_id, (executions.get(command_id) ?? 0) + 1);
        return { done: command_id };
      });
    }
    await orchestrator.start({ task: 'be steered' });
    const watchers = await Promise.all([...servers.urls.map((_, index) => watch(urlsFrom(index))), watch([proxy.url])]);
    const operators = await Promise.all(
      commandTypes.map((type, index) => connectOperator({ urls: urlsFrom(index), session, client: `operator ${type}` })),
    );
    for (const operator of operators) onTestFinished(() => operator.close());

    let killed = 0;
    let cut = 0;
    const chaos = new Chaos([
      ...evenly(cuts).map((at) => ({
        at,
        run: async () => {
          await cutOnce(proxy, () => orchestrator.connection.status === 'live');
          cut++;
        },
      })),
      ...evenly(kills).map((at) => ({
        at,
        run: async () => {
          await servers.kill();
          killed++;
        },
      })),
    ]);

    let sent = 0;
    const results = new Map<string, CommandResult>();
    const send = async (lane: number, n: number, command: CommandInput): Promise<CommandResult> => {
      await chaos.settled;
      const times = 1 + ((n * 7 + lane) % 3);
      sent += times;
      const asked = { ...command, timeout_ms: 20_000 };
      let answers: CommandResult[];
      do {
        const senders = Array.from({ length: times }, (_, time) => operators[(lane + time) % operators.length] ?? neverOperator());
        const sending = senders.map((operator) => operator.send(asked, { timeoutMs: 40_000 }));
        answers = (await Promise.all(sending)) as CommandResult[];
      } while (!answers.every((answer) => isFinal(answer.status)));
      const [first] = answers;
      if (first === undefined) throw new Error('no answer');
      // Whoever asks with this id gets the one end.
      for (const answer of answers) expect(answer).toMatchObject({ command_id: command.command_id, status: first.status });
      results.set(first.command_id, first);
      chaos.commandEnded();
      return first;
    };
    const numbers = Array.from({ length: perType }, (_, n) => n);
    const lane = async (index: number, commandOf: (n: number) => CommandInput | Promise<CommandInput>) => {
      for (const n of numbers) await send(index, n, await commandOf(n));
    };
    const gateLane = async () => {
      for (const n of numbers) {
        await send(0, n, { type: 'HALT', command_id: `HALT-${n}`, reason: `stop ${n}` });
        await send(1, n, { type: 'RESUME', command_id: `RESUME-${n}` });
      }
    };
    await Promise.all([
      gateLane(),
      lane(2, (n) => ({ type: 'ROLLBACK', command_id: `ROLLBACK-${n}`, steps: 1 + (n % 5) })),
      lane(3, (n) => ({ type: 'REDIRECT', command_id: `REDIRECT-${n}`, target_skill: `skill-${n}` })),
      lane(4, async (n) => {
        await orchestrator.emit('decision:point', { decision_id: `d${n}`, question: '?', options: ['yes', 'no'] });
        return { type: 'DECISION', command_id: `DECISION-${n}`, decision_id: `d${n}`, choice: n % 2 === 0 ? 'yes' : 'no' };
      }),
      lane(5, (n) => ({ type: 'INJECT', command_id: `INJECT-${n}`, skill_name: `skill-${n}` })),
    ]);
    await chaos.settled;
    await orchestrator.flush();

    const events = await journalOf(urlOf(0));
    for (const url of servers.urls) expect(await journalOf(url)).toEqual(events);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    const finals = new Map<string, string[]>();
    const effects = new Map<string, number>();
    for (const { type, data } of events) {
      const id = String(data['command_id']);
      if (/^command:(?:applied|failed|rejected|expired)$/.test(type))
        finals.set(id, [...(finals.get(id) ?? []), type.slice('command:'.length)]);
      else if (type === effectTypes[id.split('-')[0] as CommandType]) effects.set(id, (effects.get(id) ?? 0) + 1);
    }

    const ends: Record<string, number> = {};
    let byServer = 0;
    for (const [id, result] of results) {
      const end = finals.get(id) ?? [];
      expect(end, `the final states of ${id}`).toEqual([result.status]);
      ends[result.status] = (ends[result.status] ?? 0) + 1;
      const executed = executions.get(id) ?? 0;
      const effect = effects.get(id) ?? 0;
      if (result.status !== 'applied') {
        expect([executed, effect], `a ${result.status} command had an effect: ${id}`).toEqual([
          result.status === 'failed' ? executed : 0,
          0,
        ]);
        continue;
      }
      const isServers = result.acknowledged_by === 'server';
      const isGate = result.command_type === 'HALT' || result.command_type === 'RESUME';
      if (isServers) byServer++;
      // What the server halted while nobody was attached, the orchestrator follows when it is back, once.
      if (isServers && isGate) expect(executed, `how often ${id} was carried out`).toBeLessThanOrEqual(1);
      else expect(executed, `how often ${id} was carried out`).toBe(isServers ? 0 : 1);
      // Of two that stop what stands already, neither changes anything.
      expect(effect, `effects of ${id}`).toBeGreaterThanOrEqual(isGate ? 0 : 1);
      expect(effect, `effects of ${id}`).toBeLessThanOrEqual(1);
    }
    expect(finals.size).toBe(total);
    expect(results.size).toBe(total);
    expect([cut, killed]).toEqual([cuts, kills]);
    expect(ends['applied'] ?? 0).toBeGreaterThan(total * 0.9);

    const historyOf = (each: readonly SessionEvent[]) => each.map((event) => JSON.stringify(event));
    for (const watcher of watchers) {
      await until('a watcher to have seen all', () => watcher.events.length >= events.length);
      expect(historyOf(watcher.events)).toEqual(historyOf(events));
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(
      [
        `commands        ${total} of ${commandTypes.length} types, sent ${sent} times`,
        `faults          ${cut} cuts of the orchestrator's connection, ${killed} kills of the server`,
        `ends            ${Object.entries(ends)
          .map(([status, count]) => `${count} ${status}`)
          .join(', ')}`,
        `carried out     ${executions.size} by the orchestrator, ${byServer} by the server, none twice`,
        `history         ${events.length} events, the same at ${servers.urls.length} servers and for ${watchers.length} watchers`,
        `time            ${seconds.toFixed(1)} s`,
      ].join('\n'),
    );
  },
);
