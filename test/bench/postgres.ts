import { randomBytes } from 'node:crypto';
import { hasPostgres, inPostgres, postgresUrl } from '../helpers/postgres-server.ts';
import { connect, quantile, roundTrips } from './load.ts';
import { startDash, type MeasuredServer } from './measured-server.ts';
import type { RunFigure } from './run.ts';

const batchEvents = 100;

/** What a journal in PostgreSQL costs beside one in SQLite; none where no PostgreSQL answers. */
export const postgresFigures: readonly RunFigure[] = hasPostgres
  ? [
      figure('Event published in hundreds', 'µs', { ratio: 2.5 }, (servers) => publishing(servers)),
      figure('Delivery, 1 x 50', 'µs', { ratio: 1.25 }, ([server]) => delivering(server as MeasuredServer, 50)),
      figure('HALT and RESUME by the server, p50, PostgreSQL', 'ms', { over: 3 }, ([server]) => halting(server as MeasuredServer)),
      {
        name: 'Event published in hundreds, 2 servers and 1',
        unit: 'µs',
        most: { ratio: 0.71 },
        measure: () =>
          onPostgres(async (start) => ({
            bare: await publishing([await start()]),
            ours: await publishing([await start(), await start()]),
          })),
      },
    ]
  : [];

function figure(
  name: string,
  unit: string,
  most: RunFigure['most'],
  measure: (servers: readonly MeasuredServer[]) => Promise<number>,
): RunFigure {
  return {
    name,
    unit,
    most,
    measure: () =>
      onPostgres(async (start) => {
        const sqlite = await startDash();
        const bare = await measure([sqlite]).finally(() => sqlite.stop());
        return { bare, ours: await measure([await start()]) };
      }),
  };
}

/** Servers over one journal in a schema of its own, which goes afterwards. */
async function onPostgres<Result>(work: (start: () => Promise<MeasuredServer>) => Promise<Result>): Promise<Result> {
  const schema = `bench_${randomBytes(6).toString('hex')}`;
  const servers: MeasuredServer[] = [];
  try {
    return await work(async () => {
      const server = await startDash(undefined, `${postgresUrl}?schema=${schema}`);
      servers.push(server);
      return server;
    });
  } finally {
    for (const server of servers) await server.stop();
    await inPostgres(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  }
}

/** Microseconds for an event: four producers at each server, four batches of each on their way. */
export async function publishing(servers: readonly MeasuredServer[]): Promise<number> {
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
  const startedMs = performance.now();
  await all(batches / 4 / servers.length);
  return ((performance.now() - startedMs) * 1_000) / (batches * batchEvents);
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
