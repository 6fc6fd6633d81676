import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Which program listens on a port, as `node (pid 4711)`: as far as this machine has a tool that tells, and this user
 * may know. Undefined otherwise.
 */
export async function portHolder(port: number): Promise<string | undefined> {
  return (await fromSs(port)) ?? (await fromLsof(port));
}

async function fromSs(port: number): Promise<string | undefined> {
  const output = await outputOf('ss', ['-Hltnp', `sport = :${port}`]);
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(output);
  return match === null ? undefined : `${match[1]} (pid ${match[2]})`;
}

async function fromLsof(port: number): Promise<string | undefined> {
  const output = await outputOf('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']);
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  const name = /^c(.+)$/m.exec(output)?.[1];
  return pid === undefined ? undefined : `${name ?? 'a program'} (pid ${pid})`;
}

async function outputOf(command: string, args: string[]): Promise<string> {
  try {
    return (await run(command, args, { timeout: 1_000 })).stdout;
  } catch {
    return '';
  }
}
