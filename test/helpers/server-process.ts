import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A server in a process of its own, to be killed or told to end. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Ends it with a signal; tells how it ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const script = fileURLToPath(new URL('./serve-journal.ts', import.meta.url));

/** Starts one and waits until it listens. @param shell a shell line in which `"$@"` is the command, to set limits first */
export async function startServerProcess(journal: string, port = 0, shell?: string): Promise<ServerProcess> {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', script, journal, String(port)];
  const [file = '', ...args] = shell === undefined ? command : ['/bin/sh', '-c', shell, 'sh', ...command];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the server ended before it listened: ${code ?? signal}`)));
  });
  const address = JSON.parse(line) as { url: string; port: number };
  return {
    ...address,
    pid: child.pid ?? 0,
    process: child,
    async end(signal) {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill(signal);
      await ended;
      return { code: child.exitCode, signal: child.signalCode };
    },
  };
}
