/**
 * node test/bench/postgres-limits.ts [--servers 0,10,100,1000] [--seconds 3]
 *
 * Starts a PostgreSQL of its own on this machine and measures what one database gives many servers. The servers that only listen are
 * connections that do what a server's do: LISTEN, and say each second that they are there. Figures of CPU are those of all processes
 * of PostgreSQL: they hold where the rest of the machine is busy.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { presenceStatement } from '../../src/journal/postgres/postgres-feed.ts';
import { readPostgresUrl } from '../../src/journal/postgres/postgres-location.ts';
import { postgresPrograms, startOwnPostgres, type OwnPostgres } from '../faults/own-postgres.ts';
import { Scene } from '../faults/scene.ts';

const { values: flags } = parseArgs({
  options: { servers: { type: 'string', default: '0,10,100,1000' }, seconds: { type: 'string', default: '3' } },
});
const sizes = flags.servers.split(',').map(Number);
const seconds = Number(flags.seconds);
/** So many servers write, each as fast as the database lets it. */
const writers = 8;
const schema = 'limits';

const event = (n: number) => ({
  type: 'skill:progress',
  timestamp: new Date().toISOString(),
  source: 'http:bench',
  data: { skill_name: 'build', n, message: 'x'.repeat(100) },
});
const figure = (value: number) => (value < 100 ? value.toFixed(value < 10 ? 2 : 1) : Math.round(value).toLocaleString('en-US'));

function print(what: string, figures: Record<string, number>): void {
  const texts = Object.entries(figures).map(([name, value]) => `${figure(value).padStart(8)} ${name}`);
  console.log(`${what.padEnd(52)}${texts.join('   ')}`);
}

/** A database of the bench's own, and what is measured in it. */
class Bench {
  readonly #database: OwnPostgres;
  readonly location: string;

  constructor(database: OwnPostgres) {
    this.#database = database;
    this.location = `postgres://postgres@127.0.0.1:${database.port}/postgres?schema=${schema}`;
  }

  async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.location.replace(/\?.*/, ''), options: `-c search_path=${schema}` });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async walBytes(): Promise<number> {
    const [row] = await this.#database.query(`SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes`);
    return Number(row?.['bytes']);
  }

  privateBytes(): number {
    return this.#database.privateBytes();
  }

  setting(text: string): Promise<unknown> {
    return this.#database.query(`ALTER DATABASE postgres SET ${text}`);
  }

  /** What is done in some seconds by so many lanes, and what it costs. */
  async rate(lanes: readonly ((n: number) => Promise<unknown>)[]): Promise<{ perSecond: number; cpuUs: number; walBytes: number }> {
    const startedAt = performance.now();
    const [cpu, wal] = [this.#database.cpuSeconds(), await this.walBytes()];
    let done = 0;
    const isOver = () => performance.now() - startedAt > seconds * 1_000;
    await Promise.all(
      lanes.map(async (lane) => {
        for (let n = 0; !isOver(); n++) {
          await lane(n);
          done++;
        }
      }),
    );
    const tookMs = performance.now() - startedAt;
    return {
      perSecond: (done * 1_000) / tookMs,
      cpuUs: ((this.#database.cpuSeconds() - cpu) * 1e6) / done,
      walBytes: ((await this.walBytes()) - wal) / done,
    };
  }
}

async function opened(bench: Bench): Promise<Journal[]> {
  const journals: Journal[] = [];
  for (let n = 0; n < writers; n++) journals.push(await openPostgresJournal(bench.location));
  return journals;
}

async function events(bench: Bench): Promise<void> {
  for (const count of [1, 10, 100, 1_000]) {
    const journals = await opened(bench);
    const lanes = journals.map(
      (journal, at) => (n: number) =>
        journal.append(
          `s${at}`,
          Array.from({ length: count }, (_, each) => event(n + each)),
        ),
    );
    await bench.rate(lanes);
    const { perSecond, cpuUs, walBytes } = await bench.rate(lanes);
    print(`${writers} servers, ${count} events of 190 bytes in a commit`, {
      'events/s': perSecond * count,
      'CPU µs/event': cpuUs / count,
      'WAL bytes/event': walBytes / count,
    });
    for (const journal of journals) await journal.close();
  }
}

async function sessions(bench: Bench): Promise<void> {
  const journals = await opened(bench);
  for (const [what, sessionOf] of [
    ['each to a session of its own', (at: number) => `own-${at}`],
    ['all to one session', () => 'one'],
  ] as const) {
    const lanes = journals.map((journal, at) => (n: number) => journal.append(sessionOf(at), [event(n)]));
    await bench.rate(lanes);
    const { perSecond, cpuUs } = await bench.rate(lanes);
    print(`${writers} servers, ${what}`, { 'commits/s': perSecond, 'CPU µs/commit': cpuUs });
  }
  await bench.setting('synchronous_commit = off');
  for (const journal of journals) await journal.close();
  const fast = await opened(bench);
  const lanes = fast.map((journal, at) => (n: number) => journal.append(`own-${at}`, [event(n)]));
  await bench.rate(lanes);
  const { perSecond, cpuUs } = await bench.rate(lanes);
  print('the same, synchronous_commit = off', { 'commits/s': perSecond, 'CPU µs/commit': cpuUs });
  for (const journal of fast) await journal.close();
  await bench.setting('synchronous_commit = on');
}

/** What the servers cost that only listen: by being told of each commit, and by saying that they are there. */
async function listeners(bench: Bench): Promise<void> {
  const journals = await opened(bench);
  const clients: Client[] = [];
  const ownBytes = bench.privateBytes();
  for (const size of sizes) {
    while (clients.length < size) {
      const client = await bench.connect();
      await client.query(`SET synchronous_commit = off; LISTEN ${readPostgresUrl(bench.location).channel}`);
      clients.push(client);
    }
    const lanes = journals.map((journal, at) => (n: number) => journal.append(`own-${at}`, [event(n)]));
    const told = await bench.rate(lanes);
    const presence =
      size === 0
        ? undefined
        : await bench.rate(
            clients.slice(0, 8).map(
              (client, at) => (n) =>
                client.query({
                  name: 'presence',
                  text: presenceStatement,
                  values: [`server-${(n * 8 + at) % size}`, undefined, undefined],
                }),
            ),
          );
    print(`${size} servers more that listen`, {
      'commits/s': told.perSecond,
      'CPU µs/commit': told.cpuUs,
      ...(presence && {
        'CPU µs for a word that one is there': presence.cpuUs,
        '% of a core for all of them': (presence.cpuUs * size) / 1e4,
        'MB for its connection': (bench.privateBytes() - ownBytes) / size / 1e6,
      }),
    });
  }
  for (const client of clients) await client.end();
  for (const journal of journals) await journal.close();
}

const bin = postgresPrograms();
if (bin === undefined) {
  console.log('skipped: PostgreSQL is not installed');
  process.exit(0);
}
const load = loadavg()[0]?.toFixed(1);
console.log(`${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}, load ${load}\n`);
const scene = new Scene('full');
try {
  const bench = new Bench(await startOwnPostgres(scene, bin, [`max_connections=${Math.max(...sizes) + 8 * writers}`]));
  await events(bench);
  await sessions(bench);
  await listeners(bench);
} finally {
  await scene.end();
}
