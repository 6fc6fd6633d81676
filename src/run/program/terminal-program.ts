import { execFile, execFileSync } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty, ReadStream } from 'node:tty';
import type { ChildProgram, ChildProgramOptions } from './child-program.ts';
import { findProgram } from './find-program.ts';
import { startKept } from './kept-program.ts';
import type { ProgramOutputs } from '../output/program-outputs.ts';
import type { PseudoTerminal, TerminalSize } from './pseudo-terminal.ts';
import { isInFront, signalFellows } from './terminal-place.ts';
import type { TreeRoot } from '../tree/tree-members.ts';

/** The keys that a terminal turns into signals, as `stty` calls them, with what they send unless set otherwise. */
const signalKeys = [
  { name: 'intr', key: 0x03, signal: 'SIGINT' },
  { name: 'quit', key: 0x1c, signal: 'SIGQUIT' },
  { name: 'susp', key: 0x1a, signal: 'SIGTSTP' },
] as const;

/** How often a program in the background looks whether it is in front. */
const lookMs = 100;

/**
 * A program on a terminal of its own, which is joined to ours: its output, its size, its keys. Streams that are no terminal are
 * handed on. In the background our terminal is left as it is: only output is passed on.
 */
export async function startOnTerminal(
  terminal: PseudoTerminal,
  outputs: ProgramOutputs,
  { command, args, env, own, onKeySignal, onStopped }: ChildProgramOptions,
): Promise<ChildProgram> {
  if (own.rawArgs === undefined) findProgram(command, env['PATH']);
  const hasKeys = isatty(0);
  const launch = { command, args, env, own, terminal: { path: terminal.path, on: [...(hasKeys ? [0] : []), ...outputs.onTerminal] } };
  const { root, ended, isKept } = await startKept(launch, [hasKeys ? 'ignore' : 0, ...outputs.stdio], terminal.descriptors, onStopped);
  terminal.handedOver();
  outputs.handedOver([null, null]);
  const joint = new TerminalJoint(terminal, root, onKeySignal);
  joint.take();
  return {
    root,
    ended: ended.then(async (end) => {
      const leftBehind = await outputs.finish();
      // Not before: the last output is meant for a terminal that leaves it alone.
      joint.giveBack();
      return { ...end, leftBehind };
    }),
    stopsItself: isKept,
    isShared: false,
    async withoutTerminal(pause) {
      joint.giveBack();
      await pause();
      joint.take();
    },
  };
}

/** Our terminal and the program's, joined while we are in front. */
class TerminalJoint {
  readonly #terminal: PseudoTerminal;
  readonly #root: TreeRoot;
  readonly #onKeySignal: (signal: NodeJS.Signals) => void;
  readonly #keysDescriptor = process.stdin.isTTY ? 0 : openSync('/dev/tty', 'r+');
  readonly #keys: ReadStream;
  readonly #screen = process.stdout.isTTY ? process.stdout : process.stderr;
  #isTaken = false;
  #look: NodeJS.Timeout | undefined;
  #wasReturn = false;

  constructor(terminal: PseudoTerminal, root: TreeRoot, onKeySignal: (signal: NodeJS.Signals) => void) {
    this.#terminal = terminal;
    this.#root = root;
    this.#onKeySignal = onKeySignal;
    this.#keys = process.stdin.isTTY ? process.stdin : new ReadStream(this.#keysDescriptor);
    // The terminal was closed: SIGHUP says so too, and the program gets that.
    this.#keys.on('error', () => undefined);
    terminal.shown = (bytes) => (this.#isTaken ? bytes : this.#withoutReturns(bytes));
  }

  /** Our terminal becomes the program's window, as soon as we are in front. */
  take(): void {
    clearInterval(this.#look);
    this.#screen.on('resize', this.#onResize);
    this.#onResize();
    if (isInFront()) return this.#join();
    this.#look = setInterval(() => {
      if (isInFront()) this.take();
    }, lookMs).unref();
  }

  giveBack(): void {
    clearInterval(this.#look);
    this.#screen.off('resize', this.#onResize);
    if (!this.#isTaken) return;
    this.#isTaken = false;
    this.#keys.off('data', this.#onKeys).setRawMode(false).pause();
  }

  #join(): void {
    this.#screen.off('resize', this.#onResize).on('resize', this.#onResize);
    this.#isTaken = true;
    this.#keys.off('data', this.#onKeys).setRawMode(true).on('data', this.#onKeys).resume();
    leaveOutputAlone(this.#keysDescriptor);
  }

  /** In the background our terminal makes line ends itself, and the program's has made them already. */
  #withoutReturns(bytes: Buffer): Buffer {
    const text = (this.#wasReturn ? '\r' : '') + bytes.toString('latin1');
    this.#wasReturn = text.endsWith('\r');
    return Buffer.from((this.#wasReturn ? text.slice(0, -1) : text).replaceAll('\r\n', '\n'), 'latin1');
  }

  readonly #onResize = () => this.#terminal.resize(sizeOf(this.#screen));

  readonly #onKeys = (keys: Buffer) => {
    const pressed = signalKeys.find(({ key }) => keys.includes(key));
    if (pressed === undefined) return this.#type(keys);
    // The keys after it wait, so that they stay behind it.
    this.#keys.pause();
    void meansSignal(this.#terminal.path, this.#root.pid, pressed).then(async (isSignal) => {
      // As the system does: whoever called us, a script, gets the signal as well.
      if (isSignal && pressed.signal !== 'SIGTSTP' && frontOf(this.#root.pid).isFront) await signalFellows(pressed.signal);
      this.#type(keys);
      if (isSignal) this.#onKeySignal(pressed.signal);
      if (this.#isTaken) this.#keys.resume();
    });
  };

  #type(keys: Buffer): void {
    const { stream } = this.#terminal;
    if (stream.destroyed || stream.write(keys)) return;
    this.#keys.pause();
    stream.once('drain', () => {
      if (this.#isTaken) this.#keys.resume();
    });
  }
}

/** A terminal may not know its size. */
export function sizeOf({ columns, rows }: NodeJS.WriteStream): TerminalSize {
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/**
 * The program's terminal makes of a line's end what the program asked for; ours must not do it again. Node's raw mode leaves
 * that on, and with it a full-screen program that moves down by a bare line feed would also move to the left.
 */
function leaveOutputAlone(descriptor: number): void {
  try {
    execFileSync('stty', ['-opost'], { stdio: [descriptor, 'ignore', 'ignore'] });
  } catch {
    // Without stty most programs look the same all the same.
  }
}

/**
 * Whether a key is a signal to the program: not where it has asked for all keys as they are, and Ctrl-Z not where it sees to
 * stopping itself. An interactive shell does that for what it runs, too: then it is not the one in front of its terminal.
 */
async function meansSignal(path: string, pid: number, { name, key, signal }: (typeof signalKeys)[number]): Promise<boolean> {
  const settings = await terminalSettings(path);
  const isOn = /(?<!-)\bisig\b/.test(settings) && settings.includes(`${name} = ^${String.fromCharCode(key + 64)};`);
  if (!isOn || signal !== 'SIGTSTP') return isOn;
  const { isFront, catches } = frontOf(pid);
  return isFront && !catches;
}

function terminalSettings(path: string): Promise<string> {
  return new Promise((resolve) => {
    const flag = process.platform === 'darwin' ? '-f' : '-F';
    execFile('stty', ['-a', flag, path], (error, output) => resolve(error === null ? output : ''));
  });
}

/** Whether the process's own group has its terminal, and whether it has plans of its own for SIGTSTP. */
function frontOf(pid: number): { isFront: boolean; catches: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const mask = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`);
    const bit = 1n << BigInt(constants.signals.SIGTSTP - 1);
    return { isFront: fields[5] === fields[2], catches: ((mask('SigCgt') | mask('SigIgn')) & bit) !== 0n };
  } catch {
    return { isFront: true, catches: false };
  }
}
