import { readlinkSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import { hasChildNews, type ProcessRow, readProcessTable, readThreadStates } from './process-table.ts';
import { childrenFirst, membersOf, sessionLeader, type TreeRoot } from './tree-members.ts';

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
/** How long a process that goes on may take to stop itself, once it has heard that its child was stopped; and to hear of it. */
const SETTLE_MS = 15;
const NEWS_MS = 500;

/** Processes that were stopped here: pid -> when it started, so that a pid that came again is not taken for it. */
export type StoppedProcesses = ReadonlyMap<number, string>;

/** A stopped tree: besides what `TreeResult` says, those that ran before and have to go on. */
export interface StopResult extends TreeResult {
  readonly stopped: StoppedProcesses;
}

/**
 * Stops every process of the tree and resolves once all of them, with all their threads, are stopped.
 *
 * The tree is: the root's process group and POSIX session as far as they are its own (see `TreeRoot`; a number leads both), all
 * descendants wherever they moved to, and the sessions that descendants opened. Not found: a process that left the session by
 * `setsid` and whose parents had all ended before the call, since nothing on the system ties it to the root any more.
 *
 * What stood still before this call is left out of `stopped`: the program itself wanted it so. `before` names what an earlier
 * call had stopped, which belongs to the result as well.
 *
 * Throws a NotStoppedError naming the processes that did not stop in `timeoutMs`; the others stay stopped then.
 */
export async function stopTree(
  tree: TreeRoot | number,
  { timeoutMs = 5_000, before = new Map() }: { timeoutMs?: number; before?: StoppedProcesses } = {},
): Promise<StopResult> {
  const root = rootOf(tree);
  const deadline = performance.now() + timeoutMs;
  const known = new Map<number, string>();
  const waiting = new Map<number, number>();
  const stopped = new Map(before);
  let still: ReadonlySet<number> | undefined;
  let cleanScans = 0;
  for (let scan = 0; ; scan++) {
    const members = membersOf(root, await readProcessTable(), known);
    const running = members.filter((row) => !isStopped(row));
    if (still === undefined) {
      still = new Set(members.filter((row) => !running.includes(row)).map(({ pid }) => pid));
      // The whole group at one moment; what of it stood still already does not notice.
      if (root.leadsGroup) send(-root.pid, 'SIGSTOP');
    }
    for (const row of members) {
      if (!still.has(row.pid) && !ENDED.includes(row.state)) stopped.set(row.pid, row.startedAt);
    }
    if (running.length === 0) {
      // One clean scan is not enough: a process can fork after /proc was listed and be stopped before it is read itself. Once all that
      // were seen are stopped nobody is left to fork, so a second scan sees every child.
      if (++cleanScans === 2) return { ...result(root, members), stopped };
      continue;
    }
    cleanScans = 0;
    if (performance.now() > deadline) throw new NotStoppedError(running, timeoutMs, stopped);
    for (const row of running) {
      send(row.pid, 'SIGSTOP');
      releaseVforkChild(row, members, waiting);
    }
    await pauseBefore(scan);
  }
}

/**
 * Continues what was stopped, children before their parents: a parent that watches its children (script, sudo, an interactive
 * shell) stops itself when it wakes up and finds one that stands still. Resolves once two scans have found none of it stopped;
 * processes that are gone are passed over. `everything` continues all of the tree, also what the program itself had stopped.
 *
 * Throws an Error naming the processes that stood still after `timeoutMs`.
 */
export async function continueTree(
  tree: TreeRoot | number,
  stopped: StoppedProcesses | 'everything',
  { timeoutMs = 5_000 }: { timeoutMs?: number } = {},
): Promise<TreeResult> {
  const root = rootOf(tree);
  const deadline = performance.now() + timeoutMs;
  const settledAt = performance.now() + NEWS_MS;
  const known = new Map(stopped === 'everything' ? [] : stopped);
  let cleanScans = 0;
  for (let scan = 0; ; scan++) {
    const members = membersOf(root, await readProcessTable(), known);
    const standing = members.filter(
      (row) => (stopped === 'everything' || stopped.get(row.pid) === row.startedAt) && readThreadStates(row).includes('T'),
    );
    if (standing.length === 0) {
      if (++cleanScans >= 2 && (performance.now() > settledAt || !members.some(hasChildNews))) return result(root, members);
      // A parent that hears only now that a child had been stopped may stop itself because of that.
      await delay(SETTLE_MS);
      continue;
    }
    cleanScans = 0;
    if (performance.now() > deadline) throw new Error(`${named(standing)} did not go on within ${timeoutMs} ms`);
    for (const row of childrenFirst(members)) if (standing.includes(row)) send(row.pid, 'SIGCONT');
    await pauseBefore(scan);
  }
}

/**
 * Sends a signal once to each process of the tree (see `stopTree`) as it is now; processes that are gone, or not ours to signal, are
 * left out of `pids`. A stopped process acts upon SIGTERM only when continued; SIGKILL needs no continuing.
 */
export async function signalTree(tree: TreeRoot | number, signal: NodeJS.Signals | number): Promise<TreeResult> {
  const root = rootOf(tree);
  // Read the tree first: when parents end, their children pass to init and can no longer be told to belong to it.
  const members = membersOf(root, await readProcessTable(), new Map()).filter((row) => !ENDED.includes(row.state));
  const groupReached = root.leadsGroup && send(-root.pid, signal);
  // Nobody gets it twice: a second SIGINT means "at once" to many programs.
  const reached = members.filter((row) => (root.leadsGroup && row.pgid === root.pid ? groupReached : send(row.pid, signal)));
  return result(root, reached);
}

/** A tree of which some did not stop; `stopped` are those that did, and have to go on. */
export class NotStoppedError extends Error {
  readonly stopped: StoppedProcesses;

  constructor(running: readonly ProcessRow[], timeoutMs: number, stopped: StoppedProcesses) {
    super(`${named(running)} did not stop within ${timeoutMs} ms`);
    this.stopped = stopped;
  }
}

function pauseBefore(scan: number): Promise<unknown> {
  return scan < 3 ? nextTurn() : delay(Math.min(scan - 2, 10));
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
function send(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
}

function rootOf(tree: TreeRoot | number): TreeRoot {
  const root = typeof tree === 'number' ? sessionLeader(tree) : tree;
  if (process.platform === 'win32') throw new Error('a process tree cannot be signalled on Windows');
  // kill(-1) and kill(0) would reach every process of the user, or our own group.
  if (!Number.isSafeInteger(root.pid) || root.pid <= 1 || root.pid === process.pid) {
    throw new RangeError(`not the root of a process tree: ${root.pid}`);
  }
  return root;
}

function result(root: TreeRoot, members: readonly ProcessRow[]): TreeResult {
  const pids = members.filter((row) => !ENDED.includes(row.state)).map((row) => row.pid);
  return { pids, root: pids.includes(root.pid) ? 'alive' : 'gone' };
}

function named(rows: readonly ProcessRow[]): string {
  const names = rows.slice(0, 20).map((row) => `${row.pid} (state ${row.state})`);
  const more = rows.length > names.length ? ` and ${rows.length - names.length} more` : '';
  return `${rows.length === 1 ? 'process' : 'processes'} ${names.join(', ')}${more}`;
}
