import { statSync } from 'node:fs';
import { join } from 'node:path';
import { quantile } from '../../bench/load.ts';
import { inLanes, publish } from '../client.ts';
import { RawReader } from '../raw-reader.ts';
import { atLeast, atMost, same, told, type Check, type Row, type Scene } from '../scene.ts';
import { serve, type Served } from '../served.ts';

const graceMs = 300;
const lanes = 4;

interface Rates {
  /** Batches in a second. */
  perSecond: number;
  /** Milliseconds of a processor that the server used for a batch. */
  cpuMs: number;
}

/** Publishes batches in lanes. Tells of the part after the first twentieth, and of an equal one at the end. */
async function throughput(server: Served, batches: number, send: (n: number) => Promise<unknown>): Promise<{ start: Rates; end: Rates }> {
  const done: { at: number; cpuMs: number }[] = [];
  await inLanes(batches, lanes, async (n) => {
    await send(n);
    done.push({ at: performance.now(), cpuMs: server.cpuMs() });
  });
  const part = Math.floor(batches / 5);
  // In the first twentieth the server compiles what it runs.
  const [from, last] = [Math.floor(batches / 20), batches - 1];
  const rates = (begin: number, end: number): Rates => {
    const [first, second] = [done[begin], done[end]];
    if (first === undefined || second === undefined) throw new Error('too few batches');
    return { perSecond: ((end - begin) * 1_000) / (second.at - first.at), cpuMs: (second.cpuMs - first.cpuMs) / (end - begin) };
  };
  return { start: rates(from, from + part), end: rates(last - part, last) };
}

const eventsOf = (count: number, n: number) =>
  Array.from({ length: count }, (_, at) => ({
    type: 'skill:progress',
    data: { skill_name: 'build', progress: at % 100, message: `line ${n}-${at} ${'x'.repeat(80)}` },
  }));

/** Milliseconds from a new connection to the state of the session. */
async function lateJoins({ port }: Served, session: (n: number) => string, times: number): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < times; n++) {
    const startedAt = performance.now();
    const reader = await RawReader.subscribe(port, { session_id: session(n) });
    took.push(performance.now() - startedAt);
    reader.drop();
  }
  return took;
}

async function fill(scene: Scene, name: string, shape: { sessions: number; batches: number; perBatch: number }): Promise<Check[]> {
  const { sessions, batches, perBatch } = shape;
  const journal = join(scene.newFolder(), 'journal.db');
  let server = await serve(scene, { journal });
  const sessionOf = (n: number) => `s${n % sessions}`;
  let refused = 0;
  const rates = await throughput(server, batches, async (n) => {
    const { status } = await publish(server.url, sessionOf(n), eventsOf(perBatch, n));
    if (status !== 200) refused++;
  });
  const joins = await lateJoins(server, (n) => sessionOf(n * 997), 20);
  await server.end('SIGTERM');
  const bytes = statSync(journal).size / (batches * perBatch);
  // In turn with those of an empty journal, so that what else the machine does meets both.
  const starts = { full: [] as number[], empty: [] as number[] };
  let cpuMs = 0;
  for (let n = 0; n < 3; n++) {
    const bare = await serve(scene, { journal: join(scene.newFolder(), 'journal.db') });
    starts.empty.push(bare.readyMs);
    await bare.end('SIGTERM');
    server = await serve(scene, { journal });
    starts.full.push(server.readyMs);
    cpuMs = server.cpuMs();
    await server.end('SIGTERM');
  }
  const emptyMs = quantile(starts.empty, 0.5);
  const cpu = (rate: Rates) => `${((rate.cpuMs * 1_000) / perBatch).toFixed(1)} µs`;
  const perSecond = (rate: Rates) => Math.round(rate.perSecond * perBatch).toLocaleString('en-US');
  return [
    same(`${name}: refused`, refused, 0),
    atLeast(`${name}: throughput at the end, to the start`, rates.end.perSecond / rates.start.perSecond, 0.9, 'x'),
    told(`${name}: events/s at the start, at the end`, `${perSecond(rates.start)}, ${perSecond(rates.end)}`),
    told(`${name}: processor of the server for an event, the same`, `${cpu(rates.start)}, ${cpu(rates.end)}`),
    atMost(`${name}: late join, p90 of 20`, quantile(joins, 0.9), 100, 'ms'),
    atMost(`${name}: ready after a start`, quantile(starts.full, 0.5), emptyMs * 1.5 + graceMs, 'ms'),
    told(`${name}: processor until it was ready`, `${cpuMs} ms`),
    told(`${name}: bytes on the disk for an event`, String(Math.round(bytes))),
  ];
}

async function run(scene: Scene): Promise<Check[]> {
  const events = scene.sized(20_000, 1_000_000);
  return [
    ...(await fill(scene, 'one session', { sessions: 1, batches: events / 1_000, perBatch: 1_000 })),
    ...(await fill(scene, `${events / 100} sessions`, { sessions: events / 100, batches: events / 100, perBatch: 100 })),
  ];
}

export const volume: Row = { name: 'volume', fault: '1,000,000 events in one session, and 10,000 sessions of 100', run };
