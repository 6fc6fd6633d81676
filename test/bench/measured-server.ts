import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { may, type Role, type Verb } from '../../src/core/access.ts';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { tokenFileOf } from '../../src/server/access/tokens/token-file.ts';
import { createInterface } from 'node:readline';

/** Clock ticks a second in /proc (`getconf CLK_TCK`), 100 on every Linux. */
const ticksPerSecond = 100;

/** A server under measurement, in a process of its own. */
export interface MeasuredServer {
  name: 'shannon-dash' | 'bare relay';
  url: string;
  /** What a client has to show that uses a verb. */
  tokenFor: (verb: Verb) => string | undefined;
  /** CPU seconds used so far, user and system. */
  cpuSeconds(): number;
  residentBytes(): number;
  stop(): Promise<void>;
}

/**
 * Starts the built program.
 * @param role of the token that its clients then need, and have
 * @param location of its journal; default: a file in a fresh folder
 */
export async function startDash(role?: Role, location?: string): Promise<MeasuredServer> {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-bench-'));
  const program = join(import.meta.dirname, '../../bin/shannon-dash.js');
  const journal = location ?? join(folder, 'journal.db');
  const tokenFor = role === undefined ? () => undefined : tokensIn(tokenFileOf(journal), role);
  const child = spawn(
    process.execPath,
    [
      program,
      'serve',
      '--port',
      '0',
      '--json',
      '--journal',
      journal,
      ...(role === undefined ? [] : ['--auth']),
      '--log-level',
      'error',
      '--quiet',
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const server = await measured('shannon-dash', child, () => rmSync(folder, { recursive: true, force: true }));
  return { ...server, tokenFor };
}

/** A token of the role where it may use a verb, an admin's elsewhere. Commands are an admin's: those of others are counted. */
function tokensIn(file: string, role: Role): MeasuredServer['tokenFor'] {
  const sessions = role === 'orchestrator' ? ['bench-*', 'paced'] : ['*'];
  const { text } = createToken(file, { name: 'bench', role, sessions });
  const admin = createToken(file, { name: 'admin', role: 'admin' }).text;
  return (verb) => (verb !== 'command' && may(role, verb) ? text : admin);
}

/** Starts the bare relay. */
export async function startRelay(): Promise<MeasuredServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'relay.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  return measured('bare relay', child, () => undefined);
}

async function measured(name: MeasuredServer['name'], child: ChildProcess, cleanUp: () => void): Promise<MeasuredServer> {
  if (child.stdout === null) throw new Error('no output to read');
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it listened`)));
    createInterface({ input: child.stdout ?? process.stdin }).once('line', (line) => resolve((JSON.parse(line) as { url: string }).url));
  });
  const proc = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  return {
    name,
    url,
    tokenFor: () => undefined,
    cpuSeconds() {
      // proc(5): after the name in parentheses, utime and stime are the 12th and 13th fields.
      const fields = proc('stat').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    },
    residentBytes: () => Number(/VmRSS:\s+(\d+)/.exec(proc('status'))?.[1]) * 1_024,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      cleanUp();
    },
  };
}
