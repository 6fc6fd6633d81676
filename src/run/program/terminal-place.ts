import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type ProcessRow, readProcessTable } from '../tree/process-table.ts';

/** Whether this process has a controlling terminal: what /dev/tty opens. */
export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** Whether our process group is the one in front of our terminal, whose settings and keys are ours then. True where there is no terminal. */
export function isInFront(): boolean {
  try {
    if (process.platform !== 'linux') {
      const [group, front] = execFileSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'latin1' })
        .trim()
        .split(/\s+/);
      return group === front || front === '0';
    }
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , terminal, front] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return terminal === '0' || front === '-1' || group === front;
  } catch {
    return true;
  }
}

/** The other processes of our own group: whoever called us, other parts of a pipeline. Not what we started. */
async function groupFellows(): Promise<ProcessRow[]> {
  const table = await readProcessTable();
  const own = table.find((row) => row.pid === process.pid);
  const fellows = table.filter((row) => row.pgid === own?.pgid && row.pid !== process.pid && !'ZX'.includes(row.state));
  const parents = new Map(table.map((row) => [row.pid, row.ppid]));
  return fellows.filter((row) => !isBelow(row.pid, process.pid, parents));
}

/** Whether others of a pipeline, or of a script, share our terminal with us at this moment. Who waits for us does not. */
export async function sharesTerminal(): Promise<boolean> {
  const table = await readProcessTable();
  const parents = new Map(table.map((row) => [row.pid, row.ppid]));
  return (await groupFellows()).some((row) => !isBelow(process.pid, row.pid, parents));
}

/** Sends a signal to the other processes of our group, as the system does when a key means it. */
export async function signalFellows(signal: NodeJS.Signals): Promise<void> {
  for (const { pid } of await groupFellows()) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone, or not ours to signal.
    }
  }
}

function isBelow(pid: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  let at = parents.get(pid);
  for (let depth = 0; at !== undefined && at > 1 && depth < 1_000; depth++) {
    if (at === ancestor) return true;
    at = parents.get(at);
  }
  return at === ancestor;
}
