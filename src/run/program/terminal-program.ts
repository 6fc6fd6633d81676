import { execFile, execFileSync } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty, ReadStream } from 'node:tty';
import type { ChildProgram, ChildProgramOptions } from './child-program-contract.ts';
import { findProgram } from './find-program.ts';
import { startWithKeeper } from './session-keeper.ts';
import type { ProgramOutputs } from '../output/program-outputs.ts';
import type { PseudoTerminal, TerminalSize } from './pseudo-terminal.ts';
import { isInForeground, signalGroupMembers } from './controlling-terminal.ts';
import type { TreeRoot } from '../tree/tree-members.ts';

/** The keys that a terminal turns into signals: their names in `stty`, and their default characters and signals. */
const signalKeys = [
  { name: 'intr', key: 0x03, signal: 'SIGINT' },
  { name: 'quit', key: 0x1c, signal: 'SIGQUIT' },
  { name: 'susp', key: 0x1a, signal: 'SIGTSTP' },
] as const;

/** How often a background run checks whether it has become the foreground process group. */
const foregroundCheckMs = 100;

/**
 * Starts a program on a pseudo-terminal. This process relays output, size and keys between it and the user's terminal. Streams that
 * are not a terminal go to the program unchanged. In the background only output is relayed, and the user's terminal keeps its settings.
 */
export async function startOnTerminal(
  terminal: PseudoTerminal,
  outputs: ProgramOutputs,
  { command, args, env, inherited, onKeySignal, onStopped }: ChildProgramOptions,
): Promise<ChildProgram> {
  if (inherited.rawArgs === undefined) findProgram(command, env['PATH']);
  const hasKeys = isatty(0);
  const launch = { command, args, env, inherited, terminal: { path: terminal.path, on: [...(hasKeys ? [0] : []), ...outputs.onTerminal] } };
  const { root, ended, hasKeeper } = await startWithKeeper(
    launch,
    [hasKeys ? 'ignore' : 0, ...outputs.stdio],
    terminal.descriptors,
    onStopped,
  );
  terminal.handedOver();
  outputs.handedOver([null, null]);
  const relay = new TerminalRelay(terminal, root, onKeySignal);
  relay.attach();
  return {
    root,
    ended: ended.then(async (end) => {
      const leftBehind = await outputs.finish();
      // Only now, because the last output needs a terminal that does not convert line ends.
      relay.detach();
      return { ...end, leftBehind };
    }),
    stopsItself: hasKeeper,
    isShared: false,
    async withoutTerminal(pause) {
      relay.detach();
      await pause();
      relay.attach();
    },
  };
}

/** Relays between the user's terminal and the program's pseudo-terminal while this process is in the foreground. */
class TerminalRelay {
  readonly #terminal: PseudoTerminal;
  readonly #root: TreeRoot;
  readonly #onKeySignal: (signal: NodeJS.Signals) => void;
  readonly #keysDescriptor = process.stdin.isTTY ? 0 : openSync('/dev/tty', 'r+');
  readonly #keys: ReadStream;
  readonly #screen = process.stdout.isTTY ? process.stdout : process.stderr;
  #isAttached = false;
  #foregroundTimer: NodeJS.Timeout | undefined;
  #endsInReturn = false;

  constructor(terminal: PseudoTerminal, root: TreeRoot, onKeySignal: (signal: NodeJS.Signals) => void) {
    this.#terminal = terminal;
    this.#root = root;
    this.#onKeySignal = onKeySignal;
    this.#keys = process.stdin.isTTY ? process.stdin : new ReadStream(this.#keysDescriptor);
    // The terminal was closed. The system also sends SIGHUP, which is forwarded to the program.
    this.#keys.on('error', () => undefined);
    terminal.shown = (bytes) => (this.#isAttached ? bytes : this.#withoutCarriageReturns(bytes));
  }

  /** Puts the user's terminal into raw mode and relays its keys, as soon as this process is in the foreground. */
  attach(): void {
    clearInterval(this.#foregroundTimer);
    this.#screen.on('resize', this.#onResize);
    this.#onResize();
    if (isInForeground()) return this.#attachNow();
    this.#foregroundTimer = setInterval(() => {
      if (isInForeground()) this.attach();
    }, foregroundCheckMs).unref();
  }

  detach(): void {
    clearInterval(this.#foregroundTimer);
    this.#screen.off('resize', this.#onResize);
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.#keys.off('data', this.#onKeys).setRawMode(false).pause();
  }

  #attachNow(): void {
    this.#screen.off('resize', this.#onResize).on('resize', this.#onResize);
    this.#isAttached = true;
    this.#keys.off('data', this.#onKeys).setRawMode(true).on('data', this.#onKeys).resume();
    disableOutputProcessing(this.#keysDescriptor);
  }

  /** In the background the user's terminal adds carriage returns itself, so those from the pseudo-terminal are removed. */
  #withoutCarriageReturns(bytes: Buffer): Buffer {
    const text = (this.#endsInReturn ? '\r' : '') + bytes.toString('latin1');
    this.#endsInReturn = text.endsWith('\r');
    return Buffer.from((this.#endsInReturn ? text.slice(0, -1) : text).replaceAll('\r\n', '\n'), 'latin1');
  }

  readonly #onResize = () => this.#terminal.resize(sizeOf(this.#screen));

  readonly #onKeys = (keys: Buffer) => {
    const pressed = signalKeys.find(({ key }) => keys.includes(key));
    if (pressed === undefined) return this.#type(keys);
    // Later keys wait, so that the order of keys stays.
    this.#keys.pause();
    void isSignalKey(this.#terminal.path, this.#root.pid, pressed).then(async (isSignal) => {
      // The system would also send the signal to the calling script.
      if (isSignal && pressed.signal !== 'SIGTSTP' && foregroundOf(this.#root.pid).isForeground) await signalGroupMembers(pressed.signal);
      this.#type(keys);
      if (isSignal) this.#onKeySignal(pressed.signal);
      if (this.#isAttached) this.#keys.resume();
    });
  };

  #type(keys: Buffer): void {
    const { stream } = this.#terminal;
    if (stream.destroyed || stream.write(keys)) return;
    this.#keys.pause();
    stream.once('drain', () => {
      if (this.#isAttached) this.#keys.resume();
    });
  }
}

/** The size of a terminal; 80 x 24 when it does not report one. */
export function sizeOf({ columns, rows }: NodeJS.WriteStream): TerminalSize {
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/**
 * Turns off output processing on the user's terminal, because the pseudo-terminal already converts line ends. Node's raw mode leaves
 * it on. A full-screen program that moves down by a bare line feed would then also move to the left.
 */
function disableOutputProcessing(descriptor: number): void {
  try {
    execFileSync('stty', ['-opost'], { stdio: [descriptor, 'ignore', 'ignore'] });
  } catch {
    // Without stty most programs still look right.
  }
}

/**
 * Whether a key sends a signal to the program. It does not when the program reads raw keys. Ctrl-Z also does not when the program
 * handles SIGTSTP itself, or when the program is a shell and one of its jobs has the foreground.
 */
async function isSignalKey(path: string, pid: number, { name, key, signal }: (typeof signalKeys)[number]): Promise<boolean> {
  const settings = await terminalSettings(path);
  const isOn = /(?<!-)\bisig\b/.test(settings) && settings.includes(`${name} = ^${String.fromCharCode(key + 64)};`);
  if (!isOn || signal !== 'SIGTSTP') return isOn;
  const { isForeground, catches } = foregroundOf(pid);
  return isForeground && !catches;
}

function terminalSettings(path: string): Promise<string> {
  return new Promise((resolve) => {
    const flag = process.platform === 'darwin' ? '-f' : '-F';
    execFile('stty', ['-a', flag, path], (error, output) => resolve(error === null ? output : ''));
  });
}

/** Whether the process's group is its terminal's foreground group, and whether the process handles or ignores SIGTSTP. */
function foregroundOf(pid: number): { isForeground: boolean; catches: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const mask = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`);
    const bit = 1n << BigInt(constants.signals.SIGTSTP - 1);
    return { isForeground: fields[5] === fields[2], catches: ((mask('SigCgt') | mask('SigIgn')) & bit) !== 0n };
  } catch {
    return { isForeground: true, catches: false };
  }
}
