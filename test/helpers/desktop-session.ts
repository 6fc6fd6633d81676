import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The part of a desktop that shows notifications: a session bus, and a server of notifications on it. */
export interface DesktopSession {
  env: { DBUS_SESSION_BUS_ADDRESS: string };
  /** What it was told to show. */
  shown: { app: string; title: string; text: string }[];
}

const daemon = fileURLToPath(new URL('./notification-daemon.py', import.meta.url));

/** Starts one. It needs Debian's dbus-daemon, python3-dbus and python3-gi. */
export async function startDesktopSession(): Promise<DesktopSession> {
  const bus = started('dbus-daemon', ['--session', '--nofork', '--print-address'], process.env);
  const address = await firstLine(bus);
  const env = { DBUS_SESSION_BUS_ADDRESS: address };
  const server = started('/usr/bin/python3', [daemon], { ...process.env, ...env });
  const shown: DesktopSession['shown'] = [];
  await firstLine(server, (line) => shown.push(JSON.parse(line) as DesktopSession['shown'][number]));
  return { env, shown };
}

/** Resolves with the first line of its output; the others are taken by `onLine`. */
async function firstLine(child: ReturnType<typeof started>, onLine?: (line: string) => void): Promise<string> {
  const lines = createInterface(child.stdout);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`it ended with ${String(code)} first`);
  });
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  ended.catch(() => undefined);
  if (onLine !== undefined) lines.on('line', onLine);
  return line;
}

function started(file: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
