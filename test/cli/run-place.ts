import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { readProcTable } from '../../src/run/tree/process-table.ts';
import { signalTree } from '../../src/run/tree/process-tree.ts';
import { http, startServer, type Json, type TestServer } from '../helpers/start-server.ts';
import { bin, newPlace, nodePath, StartedProgram, type Place } from './started-program.ts';

/** A folder to run programs in, and a server that they reach. */
export interface RunPlace extends Place {
  /** Where programs work: below the folder that holds the state. */
  readonly work: string;
  readonly server: TestServer;
  /** Starts `run -s SESSION ...ARGS`. */
  start(session: string, ...args: string[]): StartedProgram;
  events(session: string): Promise<SessionEvent[]>;
  /** Waits for an event, from now on or before. */
  untilEvent(session: string, type: string, matches?: (data: Json) => boolean): Promise<SessionEvent>;
  command(session: string, type: string, fields?: Json): Promise<Json>;
  /** A file's text; undefined while there is none. */
  read(name: string): string | undefined;
}

/** A work folder in a place of its own, where `shannon-dash` is on the PATH. */
export function newWork(): Place & { work: string } {
  const place = newPlace();
  const work = join(place.folder, 'work');
  const programs = join(place.folder, 'bin');
  mkdirSync(work);
  mkdirSync(programs);
  writeFileSync(join(programs, 'shannon-dash'), `#!/bin/sh\nexec "${nodePath}" "${bin}" "$@"\n`);
  chmodSync(join(programs, 'shannon-dash'), 0o755);
  const path = [programs, dirname(nodePath), place.env['PATH']].join(delimiter);
  return { ...place, work, env: { ...place.env, PATH: path } };
}

export async function newRunPlace(options: Parameters<typeof startServer>[0] = {}): Promise<RunPlace> {
  const server = await startServer(options);
  const place = newWork();
  const { work } = place;
  const env = { ...place.env, SHANNON_DASH_URL: server.url };
  const events = async (session: string) => {
    const { body } = await http<{ events?: SessionEvent[] }>('GET', `${server.url}/api/sessions/${session}/events?limit=10000`);
    return body.events ?? [];
  };
  return {
    ...place,
    env,
    work,
    server,
    start: (session, ...args) => endingWithTest(new StartedProgram(['run', '-s', session, ...args], { folder: work, env })),
    events,
    async untilEvent(session, type, matches = () => true) {
      let found: SessionEvent | undefined;
      await until(`${type} in ${session}`, async () => {
        found = (await events(session)).find((event) => event.type === type && matches(event.data));
        return found !== undefined;
      });
      return found as SessionEvent;
    },
    async command(session, type, fields = {}) {
      return (await http('POST', `${server.url}/api/sessions/${session}/commands`, { type, ...fields })).body;
    },
    read: (name) => {
      try {
        return readFileSync(join(work, name), 'utf8');
      } catch {
        return undefined;
      }
    },
  };
}

/** What a test's program left running goes with it. */
function endingWithTest(program: StartedProgram): StartedProgram {
  onTestFinished(async () => {
    if (program.child.pid !== undefined && program.child.exitCode === null) await signalTree(program.child.pid, 'SIGKILL');
  });
  return program;
}

/** Looks until it is so. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 45_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A shell's command line, run to its end; its output as bytes. */
export function shell(
  script: string,
  { work, env }: Pick<RunPlace, 'work' | 'env'>,
): Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: Buffer; stderr: Buffer }> {
  const child = spawn('bash', ['-c', script], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (bytes: Buffer) => pieces.stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => pieces.stderr.push(bytes));
  return new Promise((resolve) =>
    child.once('close', (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(pieces.stdout), stderr: Buffer.concat(pieces.stderr) }),
    ),
  );
}

/** The state letter of a process: T is stopped; `gone` when it is no more. */
export function stateOf(pid: number): string {
  return readProcTable().find((row) => row.pid === pid)?.state ?? 'gone';
}

/** The lines of output that a session's events hold. */
export function outputLines(events: readonly SessionEvent[], stream?: string): string[] {
  return events
    .filter(({ type, data }) => type === 'process:output' && (stream === undefined || data['stream'] === stream))
    .flatMap(({ data }) => data['lines'] as string[]);
}
