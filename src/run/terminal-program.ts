import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { IPty, spawn as SpawnPty } from '@lydell/node-pty';
import type { ChildProgram, ChildProgramOptions } from './child-program.ts';
import { findProgram } from './find-program.ts';
import { sessionLeader } from './tree-members.ts';
import { signalName, type ProgramEnd } from './program-end.ts';

/** The keys that a terminal turns into signals, as `stty` calls them, with what they send unless set otherwise. */
const signalKeys = [
  { name: 'intr', key: 0x03, signal: 'SIGINT' },
  { name: 'quit', key: 0x1c, signal: 'SIGQUIT' },
  { name: 'susp', key: 0x1a, signal: 'SIGTSTP' },
] as const;

/** A program on a terminal of its own, which is joined to ours: its output, its size, its keys. */
export function startOnTerminal(
  spawnPty: typeof SpawnPty,
  { command, args, env, onOutput, onKeySignal }: ChildProgramOptions,
): ChildProgram {
  const { stdin, stdout } = process;
  findProgram(command, env['PATH']);
  const pty = spawnPty(command, [...args], {
    name: process.env['TERM'] ?? 'xterm-256color',
    ...sizeOf(stdout),
    cwd: process.cwd(),
    // An absent variable would become the text "undefined".
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    encoding: null,
  });
  pty.onData((data) => {
    const bytes = data as unknown as Buffer;
    onOutput('stdout', bytes);
    if (stdout.write(bytes)) return;
    pty.pause();
    stdout.once('drain', () => pty.resume());
  });
  const onResize = () => {
    const { cols, rows } = sizeOf(stdout);
    pty.resize(cols, rows);
  };
  const onKeys = (keys: Buffer) => {
    const pressed = signalKeys.find(({ key }) => keys.includes(key));
    if (pressed === undefined) return pty.write(keys as unknown as string);
    // The keys after it wait, so that they stay behind it.
    stdin.pause();
    void meansSignal(pty, pressed).then((isSignal) => {
      pty.write(keys as unknown as string);
      if (isSignal) onKeySignal(pressed.signal);
      stdin.resume();
    });
  };
  // The terminal was closed: SIGHUP says so too, and the program gets that.
  const onGone = () => undefined;
  const take = () => {
    stdin.setRawMode(true).on('data', onKeys).resume();
    leaveOutputAlone();
    stdout.on('resize', onResize);
    onResize();
  };
  const giveBack = () => {
    stdout.off('resize', onResize);
    stdin.off('data', onKeys).setRawMode(false).pause();
  };
  stdin.on('error', onGone);
  stdout.on('error', onGone);
  take();
  const ended = new Promise<ProgramEnd>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      giveBack();
      const name = signalName(signal);
      resolve({ code: name === null ? exitCode : 128 + constants.signals[name], signal: name });
    });
  });
  return {
    root: sessionLeader(pty.pid),
    ended,
    async withoutTerminal(pause) {
      giveBack();
      await pause();
      take();
    },
  };
}

/** A terminal may not know its size. */
function sizeOf({ columns, rows }: NodeJS.WriteStream): { cols: number; rows: number } {
  return { cols: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/**
 * The program's terminal makes of a line's end what the program asked for; ours must not do it again. Node's raw mode leaves
 * that on, and with it a full-screen program that moves down by a bare line feed would also move to the left.
 */
function leaveOutputAlone(): void {
  try {
    execFileSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  } catch {
    // Without stty most programs look the same all the same.
  }
}

/**
 * Whether a key is a signal to the program: not where it has asked for all keys as they are, and Ctrl-Z not where it sees to
 * stopping itself. An interactive shell does that for what it runs, too: then it is not the one in front of its terminal.
 */
async function meansSignal(pty: IPty, { name, key, signal }: (typeof signalKeys)[number]): Promise<boolean> {
  const settings = await terminalSettings((pty as unknown as { ptsName: string }).ptsName);
  const isOn = /(?<!-)\bisig\b/.test(settings) && settings.includes(`${name} = ^${String.fromCharCode(key + 64)};`);
  if (!isOn || signal !== 'SIGTSTP') return isOn;
  const { isInFront, catches } = frontOf(pty.pid);
  return isInFront && !catches;
}

function terminalSettings(path: string): Promise<string> {
  return new Promise((resolve) => {
    const flag = process.platform === 'darwin' ? '-f' : '-F';
    execFile('stty', ['-a', flag, path], (error, output) => resolve(error === null ? output : ''));
  });
}

/** Whether the process's own group has its terminal, and whether it has plans of its own for SIGTSTP. */
function frontOf(pid: number): { isInFront: boolean; catches: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const mask = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`);
    const bit = 1n << BigInt(constants.signals.SIGTSTP - 1);
    return { isInFront: fields[5] === fields[2], catches: ((mask('SigCgt') | mask('SigIgn')) & bit) !== 0n };
  } catch {
    return { isInFront: true, catches: false };
  }
}
