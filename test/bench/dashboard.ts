import { readFileSync } from 'node:fs';
import { WatchedProgram } from '../dashboard/watched-program.ts';
import { quantile } from './load.ts';
import { startDash, type MeasuredServer } from './measured-server.ts';

const session = 'bench-watched';
const ticksPerSecond = 100;
const kinds = [
  (n: number) => ({ type: 'skill:progress', data: { skill_name: `skill-${n % 20}`, progress: n % 100 } }),
  (n: number) => ({ type: 'agent:progress', data: { agent_id: `agent-${n % 5}`, message: `step ${n} of the work at hand` } }),
  (n: number) => ({ type: 'file:modified', data: { path: `src/part-${n % 300}/file.ts`, lines_added: 3, lines_removed: 1 } }),
  (n: number) => ({ type: 'validation:output', data: { check_name: 'tests', line: `line ${n} of what the tests have to say` } }),
];

/**
 * The dashboard's figures: the real program at 120x40 in a pseudo-terminal, on a server of its own, with a stream of
 * skills, agents, files and output of checks.
 */
export async function measureDashboard(): Promise<Record<string, number>> {
  const server = await startDash();
  try {
    await post(server, [{ type: 'execution:started', data: { task: 'bench' } }, ...Array.from({ length: 200 }, (_, n) => eventOf(n))]);
    return {
      ...(await firstPicture(server)),
      ...(await underLoad(server, 1_000, 12_000)),
      ...(await underLoad(server, 10_000, 8_000)),
    };
  } finally {
    await server.stop();
  }
}

async function firstPicture(server: MeasuredServer): Promise<Record<string, number>> {
  const frames: number[] = [];
  const lives: number[] = [];
  for (let run = 0; run < 5; run++) {
    const startedAt = performance.now();
    const program = open(server);
    await program.shows(session);
    frames.push(performance.now() - startedAt);
    await program.shows('1 Skills');
    lives.push(performance.now() - startedAt);
    program.type('q');
    await program.ended();
  }
  return { 'first picture, ms': quantile(frames, 0.5), 'first picture with the session, ms': quantile(lives, 0.5) };
}

async function underLoad(server: MeasuredServer, perSecond: number, ms: number): Promise<Record<string, number>> {
  const program = open(server);
  await program.shows('1 Skills');
  const load = startLoad(server, perSecond);
  await sleep(2_000);
  const before = { cpu: cpuSeconds(program.pty.pid), bytes: program.raw.length, at: performance.now() };
  const keys: number[] = [];
  const behind: number[] = [];
  while (performance.now() - before.at < ms) {
    keys.push(await keyToFrame(program, keys.length));
    if (keys.length % 10 === 0) behind.push(await published(server, program, keys.length));
  }
  const seconds = (performance.now() - before.at) / 1_000;
  const cpu = cpuSeconds(program.pty.pid) - before.cpu;
  const bytes = Buffer.byteLength(program.raw.slice(before.bytes));
  const sent = await load.stop();
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pty.pid}/status`, 'utf8'))?.[1]) / 1_024;
  program.type('q');
  await program.ended();
  const at = `at ${perSecond / 1_000}k/s`;
  return {
    [`CPU ${at}, % of a core`]: (cpu / seconds) * 100,
    [`key to frame ${at}, p50 ms`]: quantile(keys, 0.5),
    [`key to frame ${at}, p99 ms`]: quantile(keys, 0.99),
    [`event to screen ${at}, worst ms`]: Math.max(...behind),
    [`written ${at}, KB/s`]: bytes / seconds / 1_000,
    [`resident ${at}, MB`]: resident,
    [`events sent ${at}, 1/s`]: sent,
  };
}

function open(server: MeasuredServer): WatchedProgram {
  return new WatchedProgram(['watch', session, '--url', server.url]);
}

/** Milliseconds from a key that moves the focus to the title of the newly focused panel on the terminal. */
async function keyToFrame(program: WatchedProgram, index: number): Promise<number> {
  const [key, title] = index % 2 === 0 ? ['2', '2 Agents'] : ['1', '1 Skills'];
  // Not in step with the batches.
  await sleep(20 + ((index * 37) % 60));
  const from = program.raw.length;
  const startedAt = performance.now();
  program.type(key);
  await program.until(
    () => program.raw.includes(`\x1b[1m ${title}`, from),
    10_000,
    () => `no frame after the key ${key}`,
  );
  return performance.now() - startedAt;
}

/** Milliseconds from publishing a message to seeing it in the header. */
async function published(server: MeasuredServer, program: WatchedProgram, index: number): Promise<number> {
  const message = `marker ${index}.`;
  const startedAt = performance.now();
  await post(server, [{ type: 'execution:progress', data: { message } }]);
  await program.shows(message);
  return performance.now() - startedAt;
}

/** Publishes in steps of 20 ms, catching up where a step came late. */
function startLoad(server: MeasuredServer, perSecond: number): { stop: () => Promise<number> } {
  const startedAt = performance.now();
  let sent = 0;
  const over = new AbortController();
  const run = async () => {
    while (!over.signal.aborted) {
      const due = Math.min(1_000, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) - sent);
      if (due > 0)
        await post(
          server,
          Array.from({ length: due }, (_, n) => eventOf(sent + n)),
        );
      sent += Math.max(0, due);
      await sleep(20);
    }
  };
  const running = run();
  return {
    async stop() {
      const seconds = (performance.now() - startedAt) / 1_000;
      over.abort();
      await running;
      return sent / seconds;
    },
  };
}

function eventOf(n: number): { type: string; data: Record<string, unknown> } {
  return kinds[n % kinds.length]?.(n) ?? { type: 'custom:none', data: {} };
}

async function post(server: MeasuredServer, events: unknown[]): Promise<void> {
  const answer = await fetch(`${server.url}/api/sessions/${session}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`publishing was refused: ${body}`);
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
