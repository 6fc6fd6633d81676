import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { stdioWithInherited, type Launch, launchCommand } from './launcher.ts';
import { endOf, signalName, type ProgramEnd } from './program-end.ts';
import { sessionLeader, type TreeRoot } from '../tree/tree-members.ts';

/** A program that was started, usually in a session of its own. */
export interface StartedProgram {
  root: TreeRoot;
  ended: Promise<ProgramEnd>;
  /** Whether a keeper process leads the session. Otherwise the program leads it. */
  hasKeeper: boolean;
  child: ChildProcess;
}

/**
 * Starts a program in a session that a keeper process leads, when Perl is available for the keeper.
 * @param closedDescriptors file descriptors that are closed in the program
 */
export async function startWithKeeper(
  launch: Launch,
  first: readonly (number | 'pipe' | 'ignore')[],
  closedDescriptors: readonly number[],
  onStopped: () => void,
): Promise<StartedProgram> {
  const stdio = stdioWithInherited(launch.inherited, first);
  const keeperDescriptor = stdio.push('pipe') - 1;
  const given = launchCommand({
    ...launch,
    keeperDescriptor,
    closedDescriptors: closedDescriptors.filter(
      (descriptor) => descriptor !== keeperDescriptor && (stdio[descriptor] ?? 'ignore') === 'ignore',
    ),
    reapsOrphans: process.pid === 1,
  });
  if (!given.hasKeeper) stdio.pop();
  const child = spawn(given.file, given.args, { env: given.env, detached: true, stdio });
  const exited = endOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid ?? 0;
  if (!given.hasKeeper) return { root: sessionLeader(pid), ended: exited, hasKeeper: false, child };
  return { ...(await followKeeper(pid, child.stdio[keeperDescriptor] as Readable, onStopped)), hasKeeper: true, child };
}

/** Reads the keeper's reports about the program: its pid, its stops, its end. */
async function followKeeper(
  keeper: number,
  reports: Readable,
  onStopped: () => void,
): Promise<{ root: TreeRoot; ended: Promise<ProgramEnd> }> {
  const { promise: started, resolve: resolveStarted } = Promise.withResolvers<number>();
  const { promise: ended, resolve: resolveEnd } = Promise.withResolvers<ProgramEnd>();
  let rest = '';
  reports.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, number] = [line.split(' ')[0], Number(line.split(' ')[1])];
      if (word === 'pid') resolveStarted(number);
      else if (word === 'stop') onStopped();
      else if (word === 'end') resolveEnd(endFromWaitStatus(number));
    }
  });
  reports
    .on('error', () => undefined)
    .once('close', () => {
      resolveStarted(0);
      resolveEnd({ code: 126, signal: null });
    });
  const pid = await started;
  if (pid === 0) throw Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN', syscall: 'spawn' });
  return { root: { pid, session: keeper, keeper, leadsGroup: true }, ended };
}

/** Decodes the status that the system's `wait` returns. */
function endFromWaitStatus(status: number): ProgramEnd {
  const signal = status & 0x7f;
  return signal === 0 ? { code: status >> 8, signal: null } : { code: 128 + signal, signal: signalName(signal) };
}
