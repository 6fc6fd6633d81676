import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type ProcessRow, readProcessTable } from '../tree/process-table.ts';

/** Whether this process has a controlling terminal, which is the one that /dev/tty opens. */
export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** Whether this process group is the terminal's foreground group, which may read keys and change settings. True without a terminal. */
export function isInForeground(): boolean {
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

/** The other processes of this process group: the calling script, other parts of a pipeline. Descendants of this process are left out. */
async function otherGroupMembers(): Promise<ProcessRow[]> {
  const table = await readProcessTable();
  const own = table.find((row) => row.pid === process.pid);
  const members = table.filter((row) => row.pgid === own?.pgid && row.pid !== process.pid && !'ZX'.includes(row.state));
  const parents = new Map(table.map((row) => [row.pid, row.ppid]));
  return members.filter((row) => !isBelow(row.pid, process.pid, parents));
}

/** Whether other parts of a pipeline or script share the terminal at this moment. A process that waits for this one does not count. */
export async function sharesTerminal(): Promise<boolean> {
  const table = await readProcessTable();
  const parents = new Map(table.map((row) => [row.pid, row.ppid]));
  return (await otherGroupMembers()).some((row) => !isBelow(process.pid, row.pid, parents));
}

/** Sends a signal to the other processes of this process group, as the system does when the user presses its key. */
export async function signalGroupMembers(signal: NodeJS.Signals): Promise<void> {
  for (const { pid } of await otherGroupMembers()) {
    try {
      process.kill(pid, signal);
    } catch {
      // The process has ended, or belongs to another user.
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
