import { execFileSync, spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import { findProgram } from './find-program.ts';
import { type KeptProgram, startKept } from './kept-program.ts';
import { handedDescriptors, launched, type Launch } from './launcher.ts';
import type { OutputPassage } from '../output/output-passage.ts';
import type { OwnStart } from './own-start.ts';
import { endOf, type ProgramEnd } from './program-end.ts';
import { openProgramOutputs, type OnOutput, type ProgramOutputs } from '../output/program-outputs.ts';
import { PseudoTerminal } from './pseudo-terminal.ts';
import { hasControllingTerminal, sharesTerminal } from './terminal-place.ts';
import { sizeOf, startOnTerminal } from './terminal-program.ts';
import { sessionLeader, type TreeRoot } from '../tree/tree-members.ts';

export interface ChildProgramOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** What we were started with ourselves. */
  own: OwnStart;
  /** `NAME=VALUE` of the environment that only this program has. */
  mark: string;
  onOutput: OnOutput;
  /** A key of the terminal was pressed that means this signal to the program, and the program has got the key. */
  onKeySignal: (signal: NodeJS.Signals) => void;
  /** The program has stopped, as by Ctrl-Z. */
  onStopped: () => void;
}

/** How a program ended, and where what it left behind may still write. */
interface ChildProgramEnd extends ProgramEnd {
  leftBehind: OutputPassage[];
}

/** A program that runs as if it had been started bare. */
export interface ChildProgram {
  readonly root: TreeRoot;
  readonly ended: Promise<ChildProgramEnd>;
  /** Whether it is in our own process group: what our terminal sends us, it gets as well. */
  readonly isShared: boolean;
  /** Whether Ctrl-Z stops it without our help, so that `onStopped` comes. */
  readonly stopsItself: boolean;
  /** Gives our own terminal back while `pause` lasts, as when a shell takes it to suspend us. */
  withoutTerminal(pause: () => Promise<void>): Promise<void>;
}

/**
 * Starts a program, so that each of its three streams is a terminal where it is one bare, and /dev/tty is there where it is bare:
 * - on a terminal of its own in a session of its own, joined to ours, where its output is on a terminal that it has for itself;
 * - in our own session and group where it has not, as in a pipeline: the terminal and its signals are the group's then;
 * - in a session of its own with pipes where there is no terminal.
 * @throws the system's error when it cannot be started, as ENOENT
 */
export async function startChildProgram(options: ChildProgramOptions): Promise<ChildProgram> {
  const screens = [1, 2].filter((descriptor) => isatty(descriptor));
  const hasTerminal = hasControllingTerminal();
  const isWhole = screens.length === 2 && isatty(0);
  const ownsTerminal = screens.length > 0 && (isWhole || (hasTerminal && !(await sharesTerminal())));
  const terminal = screens.length > 0 ? PseudoTerminal.open(sizeOf(process.stdout.isTTY ? process.stdout : process.stderr)) : undefined;
  const outputs = await openProgramOutputs(terminal, options.onOutput);
  try {
    if (terminal !== undefined && ownsTerminal) return await startOnTerminal(terminal, outputs, options);
    return await startBeside(terminal, outputs, options, hasTerminal && process.pid !== 1);
  } catch (error) {
    outputs.abandon();
    throw error;
  }
}

async function startBeside(
  terminal: PseudoTerminal | undefined,
  outputs: ProgramOutputs,
  { command, args, env, own, mark, onStopped }: ChildProgramOptions,
  isShared: boolean,
): Promise<ChildProgram> {
  if (terminal !== undefined) passUnchanged(terminal.path);
  if (own.rawArgs === undefined) findProgram(command, env['PATH']);
  const launch = {
    command,
    args,
    env,
    own,
    ...(terminal === undefined ? {} : { terminal: { path: terminal.path, on: outputs.onTerminal } }),
  };
  const stdio = [0, ...outputs.stdio];
  const ours = terminal?.descriptors ?? [];
  const { child, root, ended } =
    process.pid === 1 && !isShared
      ? await startKept(launch, stdio, ours, onStopped)
      : await startAlone({ ...launch, ours }, stdio, isShared);
  outputs.handedOver([child.stdout, child.stderr]);
  const onResize = () => terminal?.resize(sizeOf(process.stdout.isTTY ? process.stdout : process.stderr));
  if (terminal !== undefined) process.on('SIGWINCH', onResize);
  return {
    root: isShared ? { pid: root.pid, leadsGroup: false, mark } : root,
    ended: ended.then(async (end) => {
      process.off('SIGWINCH', onResize);
      terminal?.handedOver();
      return { ...end, leftBehind: await outputs.finish() };
    }),
    isShared,
    stopsItself: isShared,
    withoutTerminal: (pause) => pause(),
  };
}

/** The leader of a new session and group, where we have no terminal to share: what is stopped, is stopped as a whole. */
async function startAlone(launch: Launch, first: readonly (number | 'pipe' | 'ignore')[], isShared: boolean): Promise<KeptProgram> {
  const { file, args, env } = launched(launch);
  const child = spawn(file, args, { env, detached: !isShared, stdio: handedDescriptors(launch.own, first) });
  const ended = endOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return { root: sessionLeader(child.pid ?? 0), ended, isKept: false, child };
}

/** Our own terminal makes the line ends: the one that a pipeline's program writes to leaves them alone. */
function passUnchanged(path: string): void {
  try {
    execFileSync('stty', [process.platform === 'darwin' ? '-f' : '-F', path, '-opost', '-echo'], { stdio: 'ignore' });
  } catch {
    // Without stty lines end twice, which is not to be seen.
  }
}
