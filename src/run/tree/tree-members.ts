import { readFileSync } from 'node:fs';
import type { ProcessRow } from './process-table.ts';

/** The program at the root of a tree of processes, and what of its surroundings is its own. */
export interface TreeRoot {
  readonly pid: number;
  /** The POSIX session that belongs to the tree: all of it are members. Undefined where the program shares one with strangers. */
  readonly session?: number | undefined;
  /** The process that keeps the session for the program and is none of the tree. */
  readonly keeper?: number | undefined;
  /** Whether it leads a process group of its own. */
  readonly leadsGroup: boolean;
  /** `NAME=VALUE` in the environment of all that it starts, which tells orphans in a shared process group from strangers. */
  readonly mark?: string | undefined;
}

/** The root of a tree that leads a session and a process group, as with `spawn(..., { detached: true })`. */
export function sessionLeader(pid: number): TreeRoot {
  return { pid, session: pid, leadsGroup: true };
}

/** The members of the tree, the root first. `known` carries pid -> start time over scans, so that orphans of one call stay members. */
export function membersOf(root: TreeRoot, table: readonly ProcessRow[], known: Map<number, string>): ProcessRow[] {
  const rootSid = table.find((row) => row.pid === root.pid)?.sid ?? root.session ?? 0;
  const own = table.find((row) => row.pid === process.pid);
  const children = Map.groupBy(table, (row) => row.ppid);
  const sessions = Map.groupBy(table, (row) => row.sid);
  const members = new Map<number, ProcessRow>();
  const add = (row: ProcessRow): void => {
    if (members.has(row.pid) || row.pid === process.pid || row.pid === root.keeper) return;
    members.set(row.pid, row);
    known.set(row.pid, row.startedAt);
    children.get(row.pid)?.forEach(add);
    // A session other than the root's was opened by a descendant, so all of it belongs here.
    const ownsSession = row.sid === root.session || (row.sid !== rootSid && row.sid !== own?.sid && row.sid !== 0);
    if (ownsSession) sessions.get(row.sid)?.forEach(add);
  };
  for (const row of table) {
    if (row.pid === root.pid) add(row);
  }
  for (const row of table) {
    const isOwnGroup = root.leadsGroup && row.pgid === root.pid;
    if (isOwnGroup || row.sid === root.session || known.get(row.pid) === row.startedAt) add(row);
    else if (root.mark !== undefined && row.pgid === own?.pgid && !members.has(row.pid) && carries(row, root.mark)) add(row);
  }
  return [...members.values()];
}

/** The rows ordered so that each comes before its parent. */
export function childrenFirst(rows: readonly ProcessRow[]): ProcessRow[] {
  const parents = new Map(rows.map((row) => [row.pid, row.ppid]));
  const depthOf = (pid: number): number => {
    let depth = 0;
    for (let at = parents.get(pid); at !== undefined && depth <= rows.length; at = parents.get(at)) depth++;
    return depth;
  };
  const depths = new Map(rows.map(({ pid }) => [pid, depthOf(pid)]));
  return rows.toSorted((a, b) => (depths.get(b.pid) ?? 0) - (depths.get(a.pid) ?? 0));
}

function carries({ pid }: ProcessRow, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
  } catch {
    return false;
  }
}
