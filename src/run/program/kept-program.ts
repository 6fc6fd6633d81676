import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { handedDescriptors, type Launch, launched } from './launcher.ts';
import { endOf, signalName, type ProgramEnd } from './program-end.ts';
import { sessionLeader, type TreeRoot } from '../tree/tree-members.ts';

/** A program in a session of its own. */
export interface KeptProgram {
  root: TreeRoot;
  ended: Promise<ProgramEnd>;
  /** Whether a process keeps the session: else the program leads it. */
  isKept: boolean;
  child: ChildProcess;
}

/**
 * Starts a program in a session that another process keeps for it, where the system has the means.
 * @param ours descriptors that the program must not have
 */
export async function startKept(
  launch: Launch,
  first: readonly (number | 'pipe' | 'ignore')[],
  ours: readonly number[],
  onStopped: () => void,
): Promise<KeptProgram> {
  const stdio = handedDescriptors(launch.own, first);
  const keep = stdio.push('pipe') - 1;
  const given = launched({
    ...launch,
    keep,
    ours: ours.filter((descriptor) => descriptor !== keep && (stdio[descriptor] ?? 'ignore') === 'ignore'),
    reaps: process.pid === 1,
  });
  if (!given.isKept) stdio.pop();
  const child = spawn(given.file, given.args, { env: given.env, detached: true, stdio });
  const exited = endOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid ?? 0;
  if (!given.isKept) return { root: sessionLeader(pid), ended: exited, isKept: false, child };
  return { ...(await heldProgram(pid, child.stdio[keep] as Readable, onStopped)), isKept: true, child };
}

/** A program whose session another process keeps: that tells how it does. */
async function heldProgram(keeper: number, news: Readable, onStopped: () => void): Promise<{ root: TreeRoot; ended: Promise<ProgramEnd> }> {
  const { promise: started, resolve: tellStarted } = Promise.withResolvers<number>();
  const { promise: ended, resolve: tellEnd } = Promise.withResolvers<ProgramEnd>();
  let rest = '';
  news.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, number] = [line.split(' ')[0], Number(line.split(' ')[1])];
      if (word === 'pid') tellStarted(number);
      else if (word === 'stop') onStopped();
      else if (word === 'end') tellEnd(endOfStatus(number));
    }
  });
  news
    .on('error', () => undefined)
    .once('close', () => {
      tellStarted(0);
      tellEnd({ code: 126, signal: null });
    });
  const pid = await started;
  if (pid === 0) throw Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN', syscall: 'spawn' });
  return { root: { pid, session: keeper, keeper, leadsGroup: true }, ended };
}

/** What the system's `wait` tells of an end. */
function endOfStatus(status: number): ProgramEnd {
  const signal = status & 0x7f;
  return signal === 0 ? { code: status >> 8, signal: null } : { code: 128 + signal, signal: signalName(signal) };
}
