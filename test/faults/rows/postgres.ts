import { setTimeout as wait } from 'node:timers/promises';
import { connectOrchestrator, connectWatcher } from '../../../src/index.ts';
import { ask, eventsOf, keepGoing, publishSurely, type Going } from '../client.ts';
import { openSilentProxy, postgresPrograms, startOwnPostgres, type OwnPostgres } from '../own-postgres.ts';
import { atMost, same, told, until, type Check, type Row, type Scene } from '../scene.ts';
import { serve, type Served } from '../served.ts';
import { moreCommands, steer } from '../steered.ts';

const goesOnMs = 5_000;
const batch = 20;

/** Three servers over one PostgreSQL, and what goes on at them all the time. */
interface Stage {
  scene: Scene;
  database: OwnPostgres;
  servers: Served[];
  /** Cuts the first server off from the database, and lets it back. */
  network: { hold(): void; release(): void };
  restart: (at: number) => Promise<void>;
  urls: string[];
}

/** Servers die and stop, the database and its connections go, while all three take events and commands. */
const faults: { name: string; cause: (stage: Stage) => Promise<void> }[] = [
  {
    name: 'kill -9 of the owner',
    async cause({ servers, restart }) {
      await servers[0]?.end('SIGKILL');
      await restart(0);
    },
  },
  {
    name: 'every connection ended',
    async cause({ database, scene }) {
      for (let times = 0; times < scene.sized(1, 5); times++) {
        await wait(200);
        await endConnections(database, `application_name LIKE 'shannon-dash%'`);
      }
    },
  },
  {
    name: 'LISTEN connection ended',
    async cause({ database, scene }) {
      for (let times = 0; times < scene.sized(1, 5); times++) {
        await wait(200);
        await endConnections(database, `application_name = 'shannon-dash listen'`);
      }
    },
  },
  { name: 'the database crashed', cause: ({ database }) => database.crash() },
  {
    name: 'its network silent for 20 s',
    async cause({ network, scene }) {
      network.hold();
      await wait(scene.sized(12_000, 20_000));
      network.release();
    },
  },
  {
    name: 'owner stopped for 30 s',
    async cause({ servers, scene }) {
      servers[0]?.process.kill('SIGSTOP');
      await wait(scene.sized(12_000, 30_000));
      servers[0]?.process.kill('SIGCONT');
    },
  },
];

async function endConnections(database: OwnPostgres, which: string): Promise<void> {
  const end = () => database.query(`SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE ${which}`);
  await until(`a connection to end: ${which}`, async () => (await end()).length > 0);
}

async function setUp(scene: Scene, bin: string): Promise<Stage> {
  const database = await startOwnPostgres(scene, bin);
  const network = await openSilentProxy(scene, database.port);
  const at = (port: number) => `postgres://postgres@127.0.0.1:${port}/postgres`;
  const journals = [at(network.port), at(database.port), at(database.port)];
  const servers = await Promise.all(journals.map((journal) => serve(scene, { journal })));
  const restart = async (index: number) => {
    const { port } = servers[index] ?? { port: 0 };
    servers[index] = await serve(scene, { journal: journals[index] ?? '', port });
  };
  return { scene, database, servers, network, restart, urls: servers.map(({ url }) => url) };
}

/** Publishes at each server until it is stopped, each batch again with its ids until it is acknowledged. */
function publishing(urls: readonly string[]): { going: Going; acknowledged: Map<string, Map<number, string>> } {
  const acknowledged = new Map(urls.map((_, at) => [`load-${at}`, new Map<number, string>()]));
  const going = keepGoing([...urls.entries()], async ([at, url], n) => {
    const session = `load-${at}`;
    const events = Array.from({ length: batch }, (_, each) => ({ type: 'test:step', id: `${session}-${n}-${each}`, data: { n, each } }));
    const { first_seq = 0 } = await publishSurely(url, session, events);
    for (const [each, { id }] of events.entries()) acknowledged.get(session)?.set(first_seq + each, id);
    await wait(10);
  });
  return { going, acknowledged };
}

/** Sees a session at each server from its first event on. */
async function watching({ urls, scene }: Stage, session: string): Promise<number[][]> {
  return Promise.all(
    urls.map(async (url) => {
      const watcher = await connectWatcher({ url, session, after: 'start' });
      scene.onEnd(() => watcher.close());
      const seqs: number[] = [];
      void (async () => {
        for await (const { seq } of watcher) seqs.push(seq);
      })();
      return seqs;
    }),
  );
}

/** How long until an event is taken at every server and seen at all of them. */
async function goingOn({ urls }: Stage, seen: readonly number[][], name: string): Promise<number> {
  const startedAt = performance.now();
  const answers = await Promise.all(
    urls.map((url, at) => publishSurely(url, 'probe', [{ type: 'test:probe', id: `${name}-${at}`, data: { name } }])),
  );
  const last = Math.max(...answers.map(({ last_seq = 0 }) => last_seq));
  await until('all watchers to see the probes', () => seen.every((seqs) => (seqs.at(-1) ?? 0) >= last), 120_000);
  return performance.now() - startedAt;
}

async function underFault(stage: Stage, { name, cause }: (typeof faults)[number], seen: readonly number[][]): Promise<Check[]> {
  const session = name.replaceAll(/\W+/g, '-');
  const steered = await steer(stage.scene, session, stage.urls);
  await moreCommands(steered, 10);
  await cause(stage);
  const endedAt = performance.now();
  const [eventsMs] = await Promise.all([goingOn(stage, seen, session), moreCommands(steered, 1)]);
  const commandsMs = performance.now() - endedAt;
  await moreCommands(steered, 10);
  const { commands, wrong, applied } = await steered.stop(stage.urls[1] ?? '');
  return [
    atMost(`${name}: events go on at and to all servers after`, eventsMs, goesOnMs, 'ms'),
    atMost(`${name}: and commands after`, commandsMs, goesOnMs, 'ms'),
    same(`${name}: of ${commands} commands without one end, or done twice`, wrong.slice(0, 3).join('; ') || '0', '0'),
    told(`${name}: commands applied`, `${applied} of ${commands}`),
  ];
}

/** Two programs come to one session at two servers at once: one has it, the other is told. */
async function twoPrograms({ urls, scene }: Stage): Promise<Check[]> {
  const rounds = scene.sized(2, 10);
  let [alone, once] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const session = `two-${round}`;
    let superseded = 0;
    let executed = 0;
    const programs = await Promise.all(
      ['a', 'b'].map(async (name, at) => {
        const program = await connectOrchestrator({ url: urls[at], session, instanceId: name, capabilities: ['INJECT'] }).catch(
          () => undefined,
        );
        if (program === undefined) return void superseded++;
        scene.onEnd(() => program.close());
        program.onSuperseded(() => superseded++);
        program.onCommand('INJECT', () => ({ done: ++executed }));
        return program;
      }),
    );
    await until('one of the two to be told', () => superseded > 0);
    const command = { type: 'INJECT', skill_name: 'look', command_id: `inject-${round}` };
    const sending = urls.map((url) => ask('POST', `${url}/api/sessions/${session}/commands`, command));
    const answers = await Promise.all(sending);
    if (superseded === 1) alone++;
    if (executed === 1 && answers.every(({ body }) => body['status'] === 'applied')) once++;
    for (const program of programs) await program?.close();
  }
  return [
    same('two programs at one session: one has it', alone, rounds),
    same('two programs at one session: a command sent thrice is done once', once, rounds),
  ];
}

/** A server stops in the middle of a command, another program takes the session at another one, and the first server wakes up. */
async function fenced({ urls, servers, scene }: Stage): Promise<Check[]> {
  const [first = '', second = ''] = urls;
  const session = 'fenced';
  const handling = Promise.withResolvers<void>();
  const before = await connectOrchestrator({ url: first, session, instanceId: 'before', capabilities: ['INJECT'] });
  scene.onEnd(() => before.close());
  const superseded = new Promise<string>((resolve) => before.onSuperseded(({ code }) => resolve(code)));
  before.onCommand('INJECT', () => handling.promise);
  const asked = ask('POST', `${second}/api/sessions/${session}/commands`, { type: 'INJECT', skill_name: 'look', command_id: 'half' });
  await until('the command to be delivered', async () =>
    (await eventsOf(second, session)).some(({ type }) => type === 'command:delivered'),
  );
  servers[0]?.process.kill('SIGSTOP');
  const after = await connectOrchestrator({ url: second, session, instanceId: 'after', capabilities: ['INJECT'] });
  scene.onEnd(() => after.close());
  handling.resolve();
  servers[0]?.process.kill('SIGCONT');
  const code = await superseded;
  await asked;
  const ends = async () =>
    (await eventsOf(second, session)).filter(
      ({ type, data }) => /^command:(applied|failed|rejected|expired)$/.test(type) && data['command_id'] === 'half',
    );
  await until('the command to end', async () => (await ends()).length > 0);
  const by = (await ends()).map(({ data }) => String(data['acknowledged_by']));
  return [
    same('woken after another program took its session: its program is told', code, 'SUPERSEDED'),
    same('and ends of its command that it wrote', by.filter((each) => each === 'before').length, 0),
    same('and ends of its command', by.length, 1),
  ];
}

async function run(scene: Scene): Promise<Check[]> {
  const bin = postgresPrograms();
  if (bin === undefined) return [told('skipped', 'PostgreSQL is not installed')];
  const stage = await setUp(scene, bin);
  const { going, acknowledged } = publishing(stage.urls);
  await publishSurely(stage.urls[0] ?? '', 'probe', [{ type: 'test:probe', id: 'first', data: {} }]);
  const seen = await watching(stage, 'probe');
  const checks: Check[] = [];
  for (const fault of faults) checks.push(...(await underFault(stage, fault, seen)));
  checks.push(...(await twoPrograms(stage)), ...(await fenced(stage)));
  await going.stop();

  let [lost, doubled, outOfOrder, count] = [0, 0, 0, 0];
  for (const [session, kept] of acknowledged) {
    const histories = await Promise.all(stage.urls.map((url) => eventsOf(url, session)));
    for (const events of histories) {
      doubled += events.length - new Set(events.map(({ id }) => id)).size;
      outOfOrder += events.filter(({ seq }, at) => seq !== at + 1).length;
      for (const [seq, id] of kept) if (events[seq - 1]?.id !== id) lost++;
    }
    count += kept.size;
  }
  const exact = seen.filter((seqs) => seqs.every((seq, at) => seq === at + 1)).length;
  return [
    ...checks,
    told('events acknowledged', String(count)),
    same('lost, asked at each server', lost, 0),
    same('doubled', doubled, 0),
    same('out of order', outOfOrder, 0),
    same('watchers that saw every probe once and in order', exact, seen.length),
  ];
}

export const postgres: Row = {
  name: 'postgres',
  fault: 'three servers over one PostgreSQL: kill -9, connections and the database ended, a network and a server silent',
  run,
};
