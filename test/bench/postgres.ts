import { randomBytes } from 'node:crypto';
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { cpus } from 'node:os';
import { Client } from 'pg';
import { hasPostgres, inPostgres, postgresUrl } from '../helpers/postgres-server.ts';
import { connect, quantile, roundTrips } from './load.ts';
import { startDash, type MeasuredServer } from './measured-server.ts';
import type { RunFigure } from './run.ts';

const batchEvents = 100;

/** What a journal in PostgreSQL costs beside one in SQLite; none where no PostgreSQL answers. */
export const postgresFigures: readonly RunFigure[] = hasPostgres
  ? [
      figure('Event published in hundreds', 'µs', { ratio: 2.5 }, async (servers) => (await publishing(servers)).wallUs),
      figure('Delivery, 1 x 50', 'µs', { ratio: 1.25 }, ([server]) => delivering(server as MeasuredServer, 50)),
      figure(
        'HALT and RESUME by the server, p50, PostgreSQL',
        'ms',
        { over: 3 },
        ([server]) => halting(server as MeasuredServer),
        diskLimit,
      ),
      twoServers('Event published in hundreds, 2 servers and 1', { ratio: 0.71 }, 0, ({ wallUs }) => wallUs),
      twoServers('The same, the database 20 ms away', { ratio: 0.71 }, 20, ({ wallUs }) => wallUs),
      // Where each folded what the other journals, it would be 2.
      twoServers('CPU of all servers for such an event, 2 and 1', { ratio: 1.5 }, 0, ({ cpuUs }) => cpuUs),
    ]
  : [];

function figure(
  name: string,
  unit: string,
  most: RunFigure['most'],
  measure: (servers: readonly MeasuredServer[]) => Promise<number>,
  limitOf?: () => Promise<string | undefined>,
): RunFigure {
  return {
    name,
    unit,
    most,
    measure: () =>
      onPostgres(async (start) => {
        const sqlite = await startDash();
        const bare = await measure([sqlite]).finally(() => sqlite.stop());
        return { bare, ours: await measure([await start()]), limit: await limitOf?.() };
      }),
  };
}

function twoServers(name: string, most: RunFigure['most'], awayMs: number, of: (published: Published) => number): RunFigure {
  return {
    name,
    unit: 'µs',
    most,
    async measure() {
      const bare = await onPostgres(async (start) => publishing([await start()]), awayMs);
      const ours = await onPostgres(async (start) => publishing([await start(), await start()]), awayMs);
      // What the servers use themselves is no matter of how busy the machine is.
      const limit = of(ours) === ours.wallUs && ours.busy > 0.9 ? `limit: processors ${Math.round(ours.busy * 100)} % busy` : undefined;
      return { bare: of(bare), ours: of(ours), limit };
    },
  };
}

/** Servers over one journal in a schema of its own, which goes afterwards. @param awayMs how long to the database and back */
async function onPostgres<Result>(work: (start: () => Promise<MeasuredServer>) => Promise<Result>, awayMs = 0): Promise<Result> {
  const way = awayMs === 0 ? undefined : await openLongWay(new URL(postgresUrl), awayMs);
  const schema = `bench_${randomBytes(6).toString('hex')}`;
  const servers: MeasuredServer[] = [];
  try {
    return await work(async () => {
      const server = await startDash(undefined, `${way?.url ?? postgresUrl}?schema=${schema}`);
      servers.push(server);
      return server;
    });
  } finally {
    for (const server of servers) await server.stop();
    way?.close();
    await inPostgres(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  }
}

/** A way to the database that takes so long there and back. */
async function openLongWay(target: URL, awayMs: number): Promise<{ url: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const database = connectTo(Number(target.port || 5_432), target.hostname);
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      sockets.add(from.setNoDelay());
      from.on('data', (data) => void setTimeout(() => to.destroyed || to.write(data), awayMs / 2));
      from.on('error', () => to.destroy()).on('close', () => setTimeout(() => to.destroy(), awayMs / 2));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: url.href, close };
}

/** Of each event microseconds of time, and of CPU of all servers. `busy`: the share of the machine's processors that was at work. */
interface Published {
  wallUs: number;
  cpuUs: number;
  busy: number;
}

/** Four producers at each server, four batches of each on their way. */
async function publishing(servers: readonly MeasuredServer[]): Promise<Published> {
  const batches = 400;
  const publish = async (server: MeasuredServer, producer: number, count: number) => {
    const url = `${server.url}/api/sessions/bench-${servers.indexOf(server)}-${producer}/events`;
    const lane = async () => {
      while (count-- > 0) {
        const events = Array.from({ length: batchEvents }, (_, n) => ({
          type: 'skill:progress',
          data: { skill_name: 'build', n, message: 'x'.repeat(100) },
        }));
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(events),
        });
        if (!response.ok) throw new Error(await response.text());
        await response.arrayBuffer();
      }
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
  };
  const all = (count: number) => Promise.all(servers.flatMap((server) => [0, 1, 2, 3].map((producer) => publish(server, producer, count))));
  await all(10);
  const cpuSeconds = () => servers.reduce((sum, server) => sum + server.cpuSeconds(), 0);
  const [startedMs, cpu, before] = [performance.now(), cpuSeconds(), cpus()];
  await all(batches / 4 / servers.length);
  const events = batches * batchEvents;
  const times = cpus().map(({ times: { idle, ...others } }, at) => {
    const { idle: idleBefore = 0, ...othersBefore } = before[at]?.times ?? {};
    const sum = (each: Record<string, number>) => Object.values(each).reduce((total, ms) => total + ms, 0);
    return { idle: idle - idleBefore, busy: sum(others) - sum(othersBefore) };
  });
  const [idle, busy] = [times.reduce((sum, each) => sum + each.idle, 0), times.reduce((sum, each) => sum + each.busy, 0)];
  return {
    wallUs: ((performance.now() - startedMs) * 1_000) / events,
    cpuUs: ((cpuSeconds() - cpu) * 1e6) / events,
    busy: busy / (idle + busy),
  };
}

/** Microseconds for one delivery to one of so many watchers, events published one by one. */
async function delivering(server: MeasuredServer, count: number): Promise<number> {
  const events = 3_000;
  const watchers = await Promise.all(Array.from({ length: count }, () => connect(server)));
  const producer = await connect(server, false, 'publish');
  let received = 0;
  const all = new Promise<void>((resolve) => {
    for (const watcher of watchers) watcher.on('skill:progress', () => ++received === events * count && resolve());
  });
  const startedMs = performance.now();
  for (let n = 0; n < events; n++) {
    producer.emit('cli_event', {
      session_id: 'bench',
      event_type: 'skill:progress',
      timestamp: new Date().toISOString(),
      data: { skill_name: 'build', n },
    });
    if (n % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  const tookMs = performance.now() - startedMs;
  for (const socket of [...watchers, producer]) socket.disconnect();
  return (tookMs * 1_000) / (events * count);
}

/** A disk that takes so long for one row, as others write to it too, is what a command then waits for. */
async function diskLimit(): Promise<string | undefined> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  await client.query('CREATE TABLE IF NOT EXISTS bench_row (n integer)');
  const took: number[] = [];
  for (let n = 0; n < 300; n++) {
    const startedMs = performance.now();
    await client.query('INSERT INTO bench_row VALUES (1)');
    took.push(performance.now() - startedMs);
  }
  await client.query('DROP TABLE bench_row').finally(() => client.end());
  const ms = quantile(took, 0.5);
  return ms > 1.5 ? `limit: the disk, ${ms.toFixed(1)} ms for a commit of one row` : undefined;
}

async function halting(server: MeasuredServer): Promise<number> {
  const session = 'bench-gate';
  await fetch(`${server.url}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session_id: session }),
  });
  const took = await roundTrips(server, 600, async (socket, index) => {
    const answer = await socket.emitWithAck('command', { type: index % 2 === 0 ? 'HALT' : 'RESUME', session_id: session });
    if (!answer.success) throw new Error(`a command failed: ${JSON.stringify(answer)}`);
  });
  return quantile(took, 0.5);
}
