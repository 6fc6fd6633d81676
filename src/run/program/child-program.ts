import { execFileSync, spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import { findProgram } from './find-program.ts';
import { type StartedProgram, startWithKeeper } from './session-keeper.ts';
import { stdioWithInherited, launchCommand, type Launch } from './launcher.ts';
import type { ChildProgram, ChildProgramOptions } from './child-program-contract.ts';
import { endOf } from './program-end.ts';
import { openProgramOutputs, type ProgramOutputs } from '../output/program-outputs.ts';
import { PseudoTerminal } from './pseudo-terminal.ts';
import { hasControllingTerminal, sharesTerminal } from './controlling-terminal.ts';
import { sizeOf, startOnTerminal } from './terminal-program.ts';
import { sessionLeader } from '../tree/tree-members.ts';

/**
 * Starts a program. Each of its three streams is a terminal exactly when it would be one without `run`; the same holds for /dev/tty.
 * - When the program writes to a terminal that it does not share, it gets a pseudo-terminal in a new session. This process relays
 *   between the pseudo-terminal and the user's terminal.
 * - When it shares the terminal, as in a pipeline, it stays in this process's session and process group, so that the terminal's
 *   signals reach the whole group.
 * - When there is no terminal, it gets pipes in a new session.
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
    return await startOffTerminal(terminal, outputs, options, hasTerminal && process.pid !== 1);
  } catch (error) {
    outputs.abandon();
    throw error;
  }
}

async function startOffTerminal(
  terminal: PseudoTerminal | undefined,
  outputs: ProgramOutputs,
  { command, args, env, inherited, mark, onStopped }: ChildProgramOptions,
  isShared: boolean,
): Promise<ChildProgram> {
  if (terminal !== undefined) disableOutputProcessing(terminal.path);
  if (inherited.rawArgs === undefined) findProgram(command, env['PATH']);
  const launch = {
    command,
    args,
    env,
    inherited,
    ...(terminal === undefined ? {} : { terminal: { path: terminal.path, on: outputs.onTerminal } }),
  };
  const stdio = [0, ...outputs.stdio];
  const closedDescriptors = terminal?.descriptors ?? [];
  const { child, root, ended } =
    process.pid === 1 && !isShared
      ? await startWithKeeper(launch, stdio, closedDescriptors, onStopped)
      : await startDirectly({ ...launch, closedDescriptors }, stdio, isShared);
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

/** Starts the program without a keeper. Unless it shares the terminal, it leads a new session and process group. */
async function startDirectly(launch: Launch, first: readonly (number | 'pipe' | 'ignore')[], isShared: boolean): Promise<StartedProgram> {
  const { file, args, env } = launchCommand(launch);
  const child = spawn(file, args, { env, detached: !isShared, stdio: stdioWithInherited(launch.inherited, first) });
  const ended = endOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return { root: sessionLeader(child.pid ?? 0), ended, hasKeeper: false, child };
}

/** Turns off line-end conversion on the program's pseudo-terminal, because the user's terminal already does it. */
function disableOutputProcessing(path: string): void {
  try {
    execFileSync('stty', [process.platform === 'darwin' ? '-f' : '-F', path, '-opost', '-echo'], { stdio: 'ignore' });
  } catch {
    // Without stty each line gets two carriage returns, which changes nothing on the screen.
  }
}
