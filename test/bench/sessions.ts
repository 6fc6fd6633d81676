import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { publishInTurn } from './load.ts';
import { startDash } from './measured-server.ts';
import type { RunFigure } from './run.ts';

const program = join(import.meta.dirname, '../../bin/shannon-dash.js');
/** So much longer than with an empty journal the start may take in any case. */
const graceMs = 300;
const [storedSessions, eventsPerSession] = [10_000, 100];

/** What many sessions cost: a figure beside that of few sessions, or of none. */
export const sessionFigures: readonly RunFigure[] = [
  inTurn(1_000),
  inTurn(5_000),
  {
    name: `Start, ${storedSessions} sessions, 1M events, -${graceMs} ms`,
    unit: 'ms',
    most: { ratio: 1.5 },
    measure: startWithSessions,
  },
];

/** CPU for an event published to many sessions in turn, beside the same with 100 sessions. */
function inTurn(sessions: number): RunFigure {
  const measure = async (count: number) => {
    const server = await startDash();
    try {
      return await publishInTurn(server, { sessions: count, count: 20_000, inFlight: 64 });
    } finally {
      await server.stop();
    }
  };
  return {
    name: `Event to ${sessions} sessions in turn, CPU`,
    unit: 'µs',
    most: { ratio: 1.5 },
    measure: async () => ({ bare: await measure(100), ours: await measure(sessions) }),
  };
}

let stored: Promise<string> | undefined;

async function startWithSessions(): Promise<{ ours: number; bare: number }> {
  const full = await (stored ??= storeSessions());
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-bench-'));
  try {
    const bare = await startMs(join(folder, 'journal.db'));
    return { bare, ours: Math.max(0, (await startMs(full)) - graceMs) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds from the start of `serve` to its line that it listens. */
async function startMs(journal: string): Promise<number> {
  const startedAt = performance.now();
  const args = [program, 'serve', '--port', '0', '--json', '--journal', journal, '--log-level', 'error', '--quiet'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const tookMs = performance.now() - startedAt;
  child.kill('SIGTERM');
  await ended;
  return tookMs;
}

/** Makes the journal with many sessions, once. It is removed when the bench ends. */
async function storeSessions(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'journal.db');
  const journal = await openSqliteJournal({ path });
  for (let session = 0; session < storedSessions; session++) {
    const events = Array.from({ length: eventsPerSession }, (_, at) => ({
      type: 'skill:progress',
      data: { skill_name: 'build', progress: at, message: 'x'.repeat(100) },
      timestamp: new Date().toISOString(),
    }));
    await journal.append(`session-${session}`, events);
  }
  await journal.close();
  return path;
}
