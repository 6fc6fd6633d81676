import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../helpers/free-port.ts';
import type { Scene } from './scene.ts';

/** Where Debian's package puts the programs of each version. */
const programsFolder = '/usr/lib/postgresql';

/** A PostgreSQL of the row's own, which it may end. */
export interface OwnPostgres {
  readonly port: number;
  query(text: string): Promise<Record<string, unknown>[]>;
  /** Ends it without any order, as a crash of the machine does, and starts it again. */
  crash(): Promise<void>;
  /** CPU seconds that all its processes have used, those that have ended too. */
  cpuSeconds(): number;
  /** Memory of its processes that they share with nobody. */
  privateBytes(): number;
}

/** The folder of the newest programs; undefined where there are none. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(programsFolder)) return undefined;
  const versions = readdirSync(programsFolder).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(programsFolder, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** @param settings as `name=value` */
export async function startOwnPostgres(scene: Scene, bin: string, settings: readonly string[] = []): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-postgres-'));
  scene.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  // PostgreSQL refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  if (asUser.length > 0) chownSync(folder, 65_534, 65_534);
  const command = (name: string, ...args: string[]): [string, string[]] => {
    const [file = '', ...rest] = [...asUser, join(bin, name), ...args];
    return [file, rest];
  };
  const made = spawnSync(...command('initdb', '-D', folder, '-A', 'trust', '-U', 'postgres', '--no-sync'), {
    cwd: folder,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const port = await freePort();
  let server: ChildProcess;
  const query = async (text: string) => {
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', application_name: 'faults' });
    client.on('error', () => undefined);
    await client.connect();
    return client
      .query<Record<string, unknown>>(text)
      .then(
        ({ rows }) => rows,
        (error: unknown) => Promise.reject(error as Error),
      )
      .finally(() => client.end());
  };
  const start = async () => {
    const args = ['-D', folder, '-p', String(port), '-k', ''];
    for (const setting of ['listen_addresses=127.0.0.1', ...settings]) args.push('-c', setting);
    server = spawn(...command('postgres', ...args), { cwd: folder, stdio: 'ignore' });
    while (
      !(await query('SELECT 1').then(
        () => true,
        () => false,
      ))
    ) {
      if (server.exitCode !== null) throw new Error('PostgreSQL has ended');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const end = async () => {
    const ended = once(server, 'exit');
    // An immediate shutdown: what is in memory is lost, and the log is read at the next start.
    server.kill('SIGQUIT');
    await ended;
  };
  await start();
  scene.onEnd(() => end());
  return {
    port,
    query,
    async crash() {
      await end();
      await start();
    },
    cpuSeconds() {
      // proc_pid_stat(5), behind the name: utime, stime and those of children that have ended, in ticks of 10 ms.
      const ticks = (id: number | undefined, count: number) => {
        const fields = ofProcess(id, 'stat')
          .replace(/^.*\) /s, '')
          .split(' ');
        return fields.slice(11, 11 + count).reduce((sum, field) => sum + Number(field), 0);
      };
      // The children first: one that ends meanwhile is in what the parent tells.
      return (childrenOf(server).reduce((sum, id) => sum + ticks(id, 2), 0) + ticks(server.pid, 4)) / 100;
    },
    privateBytes() {
      const kibibytesOf = (id: number) => {
        const text = ofProcess(id, 'smaps_rollup');
        return [...text.matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce((sum, [, kibibytes]) => sum + Number(kibibytes), 0);
      };
      return childrenOf(server).reduce((sum, id) => sum + kibibytesOf(id), 0) * 1_024;
    },
  };
}

/** A file of the kernel about a process; empty where that has ended. */
function ofProcess(id: number | undefined, file: string): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

function childrenOf({ pid }: ChildProcess): number[] {
  return ofProcess(pid, `task/${pid}/children`).trim().split(' ').map(Number);
}

/** A way to a port that can swallow everything, as a network does whose cable is pulled. */
export async function openSilentProxy(scene: Scene, targetPort: number): Promise<{ port: number; hold(): void; release(): void }> {
  const sockets = new Set<Socket>();
  let isHeld = false;
  const server = createServer((client) => {
    const target = isHeld ? undefined : connect(targetPort, '127.0.0.1');
    const pair = target === undefined ? [client] : [client, target];
    for (const socket of pair) {
      sockets.add(socket);
      const end = () => {
        for (const each of pair) each.destroy();
        sockets.delete(socket);
      };
      socket.on('error', end).on('close', end);
    }
    if (target === undefined) client.pause();
    else client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  scene.onEnd(() => {
    server.close();
    cutAll();
  });
  return {
    port: (server.address() as AddressInfo).port,
    hold() {
      isHeld = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    release() {
      isHeld = false;
      cutAll();
    },
  };
}
