import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { safeLine } from '../../../core/text/safe-text.ts';

const run = promisify(execFile);

/**
 * Which program listens on a port, as `node server.js (pid 4711)`: as far as this machine has a tool that tells, and
 * this user may know. Undefined otherwise.
 */
export async function portHolder(port: number): Promise<string | undefined> {
  const pid =
    /pid=(\d+)/.exec(await outputOf('ss', ['-Hltnp', `sport = :${port}`]))?.[1] ??
    /^p(\d+)$/m.exec(await outputOf('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp']))?.[1];
  if (pid === undefined) return undefined;
  const command = safeLine((await outputOf('ps', ['-o', 'args=', '-p', pid])).trim(), 60);
  return command === '' ? `process ${pid}` : `${command} (pid ${pid})`;
}

async function outputOf(command: string, args: string[]): Promise<string> {
  try {
    return (await run(command, args, { timeout: 1_000 })).stdout;
  } catch {
    return '';
  }
}
