import { readFileSync } from 'node:fs';
import type { ProcessRow } from './process-table.ts';

/** The program at the root of a process tree, with the session and process group that belong to it. */
export interface TreeRoot {
  readonly pid: number;
  /** The POSIX session that belongs to the tree: every process in it is a member. Undefined when the program shares a session. */
  readonly session?: number | undefined;
  /** The keeper process that leads the session for the program. It is not a member of the tree. */
  readonly keeper?: number | undefined;
  /** Whether the program leads a process group of its own. */
  readonly leadsGroup: boolean;
  /** `NAME=VALUE` in the environment of all its descendants. It identifies orphans of the program in a shared process group. */
  readonly mark?: string | undefined;
}

/** The root of a tree that leads a session and a process group, as with `spawn(..., { detached: true })`. */
export function sessionLeader(pid: number): TreeRoot {
  return { pid, session: pid, leadsGroup: true };
}

/** The members of the tree, the root first. `known` holds pid -> start time across scans, so that members stay known after their parents ended. */
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
    // A descendant opened this session, so every process in it belongs to the tree.
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
