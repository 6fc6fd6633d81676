/**
 * npm run bench [-- --only NAME] [--rounds N] [--json FILE] [--no-dashboard] [--token ROLE]
 *
 * Measures the built program with a SQLite journal beside a bare Socket.IO relay on the same Node, the two in turn, and
 * prints medians and ratios. The ratio is what counts: it holds on a slow or busy machine too.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Socket } from 'socket.io-client';
import { roles } from '../../src/core/access.ts';
import { connectOrchestrator } from '../../src/index.ts';
import {
  bytesPerIdleWatcher,
  bearer,
  connect,
  connectTimes,
  cpuPerDelivery,
  pacedLatency,
  quantile,
  roundTrips,
  singlePosting,
  singlePublishing,
} from './load.ts';
import { hookFigures, runFigures, type FigurePair, type RunFigure } from './run.ts';
import { postgresFigures } from './postgres.ts';
import { sessionFigures } from './sessions.ts';
import { startDash, startRelay, type MeasuredServer } from './measured-server.ts';

interface Scenario {
  name: string;
  unit: string;
  /** The most that our figure may be: a multiple of the relay's, or a value by itself. */
  goal: { ratio: number } | { value: number } | undefined;
  measure: (server: MeasuredServer, isDash: boolean) => Promise<number>;
  /** True: a fresh pair of servers for each round, for memory that was used and freed before would serve again. */
  isFresh?: boolean;
}

interface Row {
  name: string;
  unit: string;
  dash: number;
  relay: number;
  ratio: number;
  goal: string;
  met: boolean | undefined;
  /** Why there is no verdict. */
  limit?: string | undefined;
}

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    'no-dashboard': { type: 'boolean', default: false },
    /** Clients show a token of this role, for what it may not do an admin's; without, they are known as programs of the user. */
    token: { type: 'string' },
  },
});

const role = roles.find((each) => each === flags.token);

function cpuScenario(producers: number, watchers: number, deliveries: number, ratio: number, batch = false): Scenario {
  return {
    name: `CPU per delivery, ${producers} x ${watchers}${batch ? ', batch' : ''}`,
    unit: 'µs',
    goal: { ratio },
    // The relay knows no batches: it is measured with each event under its own name.
    measure: (server, isDash) => cpuPerDelivery(server, { producers, watchers, deliveries, batch: batch && isDash }),
  };
}

/** Half of the relay's events a second, or more. */
function publishScenario(inFlight: number, count: number): Scenario {
  return {
    name: `Single events acknowledged, ${inFlight} in flight`,
    unit: 'µs',
    goal: { ratio: 2 },
    measure: (server) => singlePublishing(server, { count, inFlight }),
  };
}

const p50 = (values: Promise<number[]>) => values.then((each) => quantile(each, 0.5));
const p99 = (values: Promise<number[]>) => values.then((each) => quantile(each, 0.99));
const paced = (server: MeasuredServer) => pacedLatency(server, { perSecond: 200, watchers: 10, events: 1_000 });
const ping = (socket: Socket) => socket.emitWithAck('ping', {});

async function haltAndResume(socket: Socket, index: number): Promise<void> {
  checkAnswer(await socket.emitWithAck('command', { type: index % 2 === 0 ? 'HALT' : 'RESUME', session_id: 'bench-gate' }));
}

/** A command that is refused is no figure. */
function checkAnswer(answer: { success: boolean }): void {
  if (!answer.success) throw new Error(`a command failed: ${JSON.stringify(answer)}`);
}

/** Operator to the orchestrator's handler and back. */
async function throughOrchestrator(server: MeasuredServer, isDash: boolean): Promise<number[]> {
  const close = await (isDash ? attachHandler(server) : attachRelayed(server));
  const redirect = { type: 'REDIRECT', session_id: 'bench-run', target_skill: 'build' };
  const took = await roundTrips(server, 1_500, async (socket) => checkAnswer(await socket.emitWithAck('command', redirect)), 'command');
  await close();
  return took;
}

async function attachHandler({ url, tokenFor }: MeasuredServer): Promise<() => Promise<void>> {
  const run = await connectOrchestrator({ url, token: tokenFor('attach'), session: 'bench-run' });
  run.onCommand('REDIRECT', () => ({ done: true }));
  return () => run.close();
}

async function attachRelayed(server: MeasuredServer): Promise<() => Promise<void>> {
  const socket = await connect(server, false);
  socket.on('command:execute', (_command: unknown, ack: (answer: unknown) => void) => ack({ done: true }));
  await socket.emitWithAck('orchestrator:attach', {});
  return async () => void socket.disconnect();
}

const scenarios: readonly Scenario[] = [
  cpuScenario(1, 1, 80_000, 1.3),
  cpuScenario(1, 10, 600_000, 0.75),
  cpuScenario(4, 50, 500_000, 0.5),
  cpuScenario(1, 200, 600_000, 0.5),
  cpuScenario(1, 10, 600_000, 0.15, true),
  cpuScenario(1, 200, 600_000, 0.15, true),
  publishScenario(1, 5_000),
  publishScenario(8, 20_000),
  publishScenario(128, 40_000),
  {
    name: 'CPU per single event posted, 8 clients',
    unit: 'µs',
    goal: { ratio: 2.5 },
    measure: (server) => singlePosting(server, { count: 10_000, clients: 8 }),
  },
  { name: 'Publish to receipt, 200/s to 10, p50', unit: 'ms', goal: { ratio: 1.5 }, measure: (server) => p50(paced(server)) },
  { name: 'Connect, p50', unit: 'ms', goal: undefined, measure: (server) => p50(connectTimes(server, 300)) },
  { name: 'Ping, p50', unit: 'ms', goal: { ratio: 1.3 }, measure: (server) => p50(roundTrips(server, 3_000, ping)) },
  {
    name: 'HALT and RESUME by the server, p50',
    unit: 'ms',
    goal: { ratio: 1.3 },
    async measure(server, isDash) {
      if (isDash) await createSession(server, 'bench-gate');
      return p50(roundTrips(server, 3_000, haltAndResume, 'command'));
    },
  },
  { name: 'Command to a handler and back, p50', unit: 'ms', goal: { ratio: 2 }, measure: (...each) => p50(throughOrchestrator(...each)) },
  { name: 'Command to a handler and back, p99', unit: 'ms', goal: undefined, measure: (...each) => p99(throughOrchestrator(...each)) },
  {
    name: 'Memory of an idle watcher, 1,000 of them',
    unit: 'KiB',
    goal: { value: 45 },
    measure: async (server) => (await bytesPerIdleWatcher(server, 1_000)) / 1_024,
    isFresh: true,
  },
];

async function createSession(server: MeasuredServer, session: string): Promise<void> {
  const headers = { 'content-type': 'application/json', ...bearer(server, 'create') };
  await fetch(`${server.url}/api/sessions`, { method: 'POST', headers, body: JSON.stringify({ session_id: session }) });
}

/**
 * Both servers in turn, a fresh pair for each scenario, so that none inherits another's heap. A round that does not count
 * comes first: in it both compile and optimize what they run.
 */
async function measure(scenario: Scenario, rounds: number): Promise<Row> {
  const dash: number[] = [];
  const relay: number[] = [];
  const ratios: number[] = [];
  let [ours, peer] = [await startDash(role), await startRelay()];
  const stop = () => Promise.all([ours.stop(), peer.stop()]);
  if (scenario.isFresh !== true) for (const server of [ours, peer]) await scenario.measure(server, server === ours);
  for (let round = 0; round < rounds; round++) {
    if (scenario.isFresh === true && round > 0) {
      await stop();
      [ours, peer] = [await startDash(role), await startRelay()];
    }
    const ourFigure = await scenario.measure(ours, true);
    const peerFigure = await scenario.measure(peer, false);
    dash.push(ourFigure);
    relay.push(peerFigure);
    ratios.push(ourFigure / peerFigure);
  }
  await stop();
  const figures = { dash: quantile(dash, 0.5), relay: quantile(relay, 0.5), ratio: quantile(ratios, 0.5) };
  const { goal } = scenario;
  const row = { name: scenario.name, unit: scenario.unit, ...figures };
  if (goal === undefined) return { ...row, goal: '', met: undefined };
  if ('ratio' in goal) return { ...row, goal: `${goal.ratio} x`, met: figures.ratio <= goal.ratio };
  return { ...row, goal: `${goal.value} ${scenario.unit}`, met: figures.dash <= goal.value };
}

function print({ name, unit, dash, relay, ratio, goal, met, limit = '' }: Row): void {
  const figure = (value: number) => `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`.padStart(11);
  console.log(
    `${name.padEnd(44)}${figure(dash)}${figure(relay)}${ratio.toFixed(2).padStart(8)}   ${goal.padStart(7)}  ${met === undefined ? limit : met ? 'met' : 'NOT MET'}`,
  );
}

const rows: Row[] = [];

/** Figures that are no comparison with the relay. */
async function measureBeside(figures: readonly RunFigure[], [ours, bare]: readonly [string, string]): Promise<void> {
  const wanted = figures.filter(({ name }) => flags.only === undefined || name.includes(flags.only));
  if (wanted.length > 0) console.log(`\n${''.padEnd(44)}${ours.padStart(11)}${bare.padStart(11)}`);
  for (const { name, unit, most, measure: measureFigure } of wanted) {
    const measured: FigurePair[] = [];
    for (let round = 0; round < Number(flags.rounds); round++) measured.push(await measureFigure());
    const middle = (of: (figure: FigurePair) => number) => quantile(measured.map(of), 0.5);
    const ratio = middle((figure) => figure.ours / figure.bare);
    const row = { name, unit, dash: middle((figure) => figure.ours), relay: middle((figure) => figure.bare), ratio };
    const isMet = 'ratio' in most ? ratio <= most.ratio : row.dash - row.relay <= most.over;
    const goal = 'ratio' in most ? `${most.ratio} x` : `+${most.over} ${unit}`;
    const limit = isMet ? undefined : measured.find((figure) => figure.limit !== undefined)?.limit;
    rows.push({ ...row, goal, met: limit === undefined ? isMet : undefined, limit });
    print(rows.at(-1) as Row);
  }
}

const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}, ${process.platform}`;
console.log(`${machine}\n`);
console.log(`${''.padEnd(44)}${'this'.padStart(11)}${'relay'.padStart(11)}${'ratio'.padStart(8)}   ${'at most'.padStart(7)}`);
for (const scenario of scenarios.filter(({ name }) => flags.only === undefined || name.includes(flags.only))) {
  const row = await measure(scenario, Number(flags.rounds));
  rows.push(row);
  print(row);
}
await measureBeside(runFigures, ['run', 'bare']);
await measureBeside(hookFigures, ['hook', 'node -e 0']);
await measureBeside(sessionFigures, ['many', 'few']);
await measureBeside(postgresFigures, ['PostgreSQL', 'SQLite']);
const dashboardBench = join(import.meta.dirname, 'dashboard.ts');
let dashboard: Record<string, number> | undefined;
if (!flags['no-dashboard'] && flags.only === undefined && existsSync(dashboardBench)) {
  const { measureDashboard } = (await import(dashboardBench)) as { measureDashboard: () => Promise<Record<string, number>> };
  dashboard = await measureDashboard();
  console.log('\ndashboard');
  for (const [name, value] of Object.entries(dashboard)) console.log(`  ${name.padEnd(42)}${value.toFixed(1).padStart(11)}`);
}
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ machine, rows, dashboard }, null, 2)}\n`);
process.exit(rows.every((row) => row.met !== false) ? 0 : 1);
