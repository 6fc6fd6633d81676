import { readlinkSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import { type ProcessRow, readProcessTable, readThreadStates } from './process-table.ts';

/** What a signal to a tree reached. */
export interface TreeResult {
  /** The processes of the tree, ended ones (zombies) left out. Empty when nothing of the tree is left. */
  readonly pids: number[];
  /** `gone` when the root itself has ended; what it left behind in its group and session is dealt with all the same. */
  readonly root: 'alive' | 'gone';
}

const STOPPED = 'Tt';
const ENDED = 'ZXx';
/** After so many scans in a row in state D a process is taken to wait for its vfork child rather than for a disk. */
const VFORK_SUSPECT_SCANS = 4;

/**
 * Stops every process of the tree and resolves once all of them, with all their threads, are stopped.
 *
 * The tree is: the root's process group and POSIX session (`rootPid` must lead both, as with `spawn(..., { detached: true })`), all
 * descendants wherever they moved to, and the sessions that descendants opened. Not found: a process that left the session by
 * `setsid` and whose parents had all ended before the call, since nothing on the system ties it to the root any more.
 *
 * Throws an Error naming the processes that did not stop in `timeoutMs`; the others stay stopped then, `continueTree` undoes it.
 */
export async function stopTree(rootPid: number, { timeoutMs = 5_000 }: { timeoutMs?: number } = {}): Promise<TreeResult> {
  checkRoot(rootPid);
  const deadline = performance.now() + timeoutMs;
  const known = new Map<number, string>();
  const waiting = new Map<number, number>();
  send(-rootPid, 'SIGSTOP');
  let cleanScans = 0;
  for (let scan = 0; ; scan++) {
    const table = await readProcessTable();
    const members = treeOf(rootPid, table, known);
    const running = members.filter((row) => !isStopped(row));
    if (running.length === 0) {
      // One clean scan is not enough: a process can fork after /proc was listed and be stopped before it is read itself. Once all that
      // were seen are stopped nobody is left to fork, so a second scan sees every child.
      if (++cleanScans === 2) return result(rootPid, members);
      continue;
    }
    cleanScans = 0;
    if (performance.now() > deadline) throw new Error(notStopped(running, timeoutMs));
    for (const row of running) {
      send(row.pid, 'SIGSTOP');
      releaseVforkChild(row, members, waiting);
    }
    await (scan < 3 ? nextTurn() : delay(Math.min(scan - 2, 10)));
  }
}

/** Continues a stopped tree: all that `stopTree` named, or the tree of a root as it is now. Processes that are gone are passed over. */
export async function continueTree(tree: number | readonly number[]): Promise<TreeResult> {
  if (typeof tree === 'number') return await signalTree(tree, 'SIGCONT');
  const pids = tree.filter((pid) => send(pid, 'SIGCONT'));
  return { pids, root: pids.length > 0 && pids[0] === tree[0] ? 'alive' : 'gone' };
}

/**
 * Sends a signal once to each process of the tree (see `stopTree`) as it is now; processes that are gone, or not ours to signal, are
 * left out of `pids`. A stopped process acts upon SIGTERM only when continued; SIGKILL needs no continuing.
 */
export async function signalTree(rootPid: number, signal: NodeJS.Signals): Promise<TreeResult> {
  checkRoot(rootPid);
  // Read the tree first: when parents end, their children pass to init and can no longer be told to belong to it.
  const members = treeOf(rootPid, await readProcessTable(), new Map()).filter((row) => !ENDED.includes(row.state));
  const groupReached = send(-rootPid, signal);
  // Nobody gets it twice: a second SIGINT means "at once" to many programs.
  const reached = members.filter((row) => (row.pgid === rootPid ? groupReached : send(row.pid, signal)));
  return result(rootPid, reached);
}

/** The members of the tree, the root first. `known` carries pid -> start time over scans, so that orphans of one call stay members. */
function treeOf(rootPid: number, table: readonly ProcessRow[], known: Map<number, string>): ProcessRow[] {
  const rootSid = table.find((row) => row.pid === rootPid)?.sid ?? rootPid;
  const ownSid = table.find((row) => row.pid === process.pid)?.sid ?? 0;
  const children = Map.groupBy(table, (row) => row.ppid);
  const sessions = Map.groupBy(table, (row) => row.sid);
  const members = new Map<number, ProcessRow>();
  const add = (row: ProcessRow): void => {
    if (members.has(row.pid) || row.pid === process.pid) return;
    members.set(row.pid, row);
    known.set(row.pid, row.startedAt);
    children.get(row.pid)?.forEach(add);
    // A session other than the root's was opened by a descendant, so all of it belongs here. A root that leads no session of its own
    // shares one with strangers: that one is not followed.
    const ownsSession = row.sid === rootPid || (row.sid !== rootSid && row.sid !== ownSid && row.sid !== 0);
    if (ownsSession) sessions.get(row.sid)?.forEach(add);
  };
  for (const row of table) {
    if (row.pid === rootPid) add(row);
  }
  for (const row of table) {
    if (row.pgid === rootPid || row.sid === rootPid || known.get(row.pid) === row.startedAt) add(row);
  }
  return [...members.values()];
}

function isStopped(row: ProcessRow): boolean {
  const still = STOPPED + ENDED;
  return still.includes(row.state) && readThreadStates(row).every((state) => still.includes(state));
}

/**
 * A parent in `vfork` (posix_spawn, Node's own spawn) waits uninterruptibly until its child has called exec. A child that is stopped
 * just before exec keeps such a parent in state D for ever, so the child is let go for one more round; it is stopped again after it.
 */
function releaseVforkChild(row: ProcessRow, members: readonly ProcessRow[], waiting: Map<number, number>): void {
  if (process.platform !== 'linux' || !readThreadStates(row).includes('D')) {
    waiting.delete(row.pid);
    return;
  }
  const scans = (waiting.get(row.pid) ?? 0) + 1;
  waiting.set(row.pid, scans % VFORK_SUSPECT_SCANS);
  if (scans < VFORK_SUSPECT_SCANS) return;
  const program = programOf(row.pid);
  for (const child of members) {
    // Before its exec a child still runs its parent's program.
    if (child.ppid === row.pid && STOPPED.includes(child.state) && programOf(child.pid) === program) send(child.pid, 'SIGCONT');
  }
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** Whether the signal was delivered: not to what is gone (ESRCH) or belongs to another user (EPERM). */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
}

function checkRoot(rootPid: number): void {
  if (process.platform === 'win32') throw new Error('a process tree cannot be signalled on Windows');
  // kill(-1) and kill(0) would reach every process of the user, or our own group.
  if (!Number.isSafeInteger(rootPid) || rootPid <= 1 || rootPid === process.pid) {
    throw new RangeError(`not the root of a process tree: ${rootPid}`);
  }
}

function result(rootPid: number, members: readonly ProcessRow[]): TreeResult {
  const pids = members.filter((row) => !ENDED.includes(row.state)).map((row) => row.pid);
  return { pids, root: pids.includes(rootPid) ? 'alive' : 'gone' };
}

function notStopped(running: readonly ProcessRow[], timeoutMs: number): string {
  const names = running.slice(0, 20).map((row) => `${row.pid} (state ${row.state})`);
  const more = running.length > names.length ? ` and ${running.length - names.length} more` : '';
  const what = running.length === 1 ? 'process' : 'processes';
  return `${what} ${names.join(', ')}${more} did not stop within ${timeoutMs} ms`;
}
