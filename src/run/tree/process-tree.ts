import { readlinkSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import { hasChildNews, type ProcessRow, readProcessTable, readThreadStates } from './process-table.ts';
import { childrenFirst, membersOf, sessionLeader, type TreeRoot } from './tree-members.ts';

/** The processes that a signal to a tree reached. */
export interface TreeResult {
  /** The processes of the tree, ended ones (zombies) left out. Empty when nothing of the tree is left. */
  readonly pids: number[];
  /** `gone` when the root itself has ended. The processes that it left in its group and session are still signalled. */
  readonly root: 'alive' | 'gone';
}

const stoppedStates = 'Tt';
const endedStates = 'ZXx';
/** After so many scans in a row in state D a process is taken to wait for its vfork child rather than for a disk. */
const vforkSuspectScans = 4;
/** How long a continued parent may take to stop itself after it noticed a stopped child, and how long it may take to notice. */
const settleMs = 15;
const newsMs = 500;

/** Processes that were stopped here: pid -> start time, so that a reused pid is not mistaken for the old process. */
export type StoppedProcesses = ReadonlyMap<number, string>;

/** A stopped tree. `stopped` holds the processes that were running before and must be continued later. */
export interface StopResult extends TreeResult {
  readonly stopped: StoppedProcesses;
}

/**
 * Stops every process of the tree and resolves once all of them, with all their threads, are stopped.
 *
 * The tree consists of: the root's process group and POSIX session if they are its own (see `TreeRoot`; a plain number leads both),
 * all descendants in whatever group or session, and the sessions that descendants opened. A process that left the session by
 * `setsid`, and whose parents had all ended before the call, is not found: nothing on the system links it to the root any more.
 *
 * Processes that were stopped before this call are not in `stopped`, because the program itself stopped them. `before` holds the
 * processes that an earlier call stopped; the result includes them.
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
      // One signal stops the whole group at one moment. It has no effect on members that are already stopped.
      if (root.leadsGroup) send(-root.pid, 'SIGSTOP');
    }
    for (const row of members) {
      if (!still.has(row.pid) && !endedStates.includes(row.state)) stopped.set(row.pid, row.startedAt);
    }
    if (running.length === 0) {
      // One clean scan is not enough: a process can fork after /proc was listed and be stopped before it is read itself. Once all
      // known members are stopped, none of them can fork, so a second scan sees every child.
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
 * Continues the stopped processes, children before their parents. A parent that watches its children (script, sudo, an interactive
 * shell) stops itself when it wakes up and finds a stopped child. Resolves once two scans have found none of them stopped; processes
 * that have ended are skipped. `everything` continues the whole tree, including processes that the program itself had stopped.
 *
 * Throws an Error naming the processes that were still stopped after `timeoutMs`.
 */
export async function continueTree(
  tree: TreeRoot | number,
  stopped: StoppedProcesses | 'everything',
  { timeoutMs = 5_000 }: { timeoutMs?: number } = {},
): Promise<TreeResult> {
  const root = rootOf(tree);
  const deadline = performance.now() + timeoutMs;
  const settledAt = performance.now() + newsMs;
  const known = new Map(stopped === 'everything' ? [] : stopped);
  let cleanScans = 0;
  for (let scan = 0; ; scan++) {
    const members = membersOf(root, await readProcessTable(), known);
    const standing = members.filter(
      (row) => (stopped === 'everything' || stopped.get(row.pid) === row.startedAt) && readThreadStates(row).includes('T'),
    );
    if (standing.length === 0) {
      if (++cleanScans >= 2 && (performance.now() > settledAt || !members.some(hasChildNews))) return result(root, members);
      // A parent that notices only now that its child was stopped may stop itself.
      await delay(settleMs);
      continue;
    }
    cleanScans = 0;
    if (performance.now() > deadline) throw new Error(`${named(standing)} did not go on within ${timeoutMs} ms`);
    for (const row of childrenFirst(members)) if (standing.includes(row)) send(row.pid, 'SIGCONT');
    await pauseBefore(scan);
  }
}

/**
 * Sends a signal once to each current process of the tree (see `stopTree`). Processes that have ended, or that belong to another
 * user, are left out of `pids`. A stopped process acts on SIGTERM only when it is continued; SIGKILL ends it at once.
 */
export async function signalTree(tree: TreeRoot | number, signal: NodeJS.Signals | number): Promise<TreeResult> {
  const root = rootOf(tree);
  // Read the tree first: when parents end, init adopts their children, and nothing shows any more that they belong to the tree.
  const members = membersOf(root, await readProcessTable(), new Map()).filter((row) => !endedStates.includes(row.state));
  const groupReached = root.leadsGroup && send(-root.pid, signal);
  // No process gets the signal twice: many programs take a second SIGINT as "end at once".
  const reached = members.filter((row) => (root.leadsGroup && row.pgid === root.pid ? groupReached : send(row.pid, signal)));
  return result(root, reached);
}

/** How many processes a tree had that was ended, and how many of them only ended by force. */
export interface EndedTree {
  processes: number;
  killed: number;
}

/**
 * Ends every process of the tree: asks each to end (SIGTERM), continues those that are stopped so that they can, and kills what is
 * left after `graceMs`. Resolves when none is left.
 *
 * Throws an Error naming the processes that were still there `timeoutMs` after the first was killed.
 */
export async function endTree(
  tree: TreeRoot | number,
  { graceMs, timeoutMs = 5_000 }: { graceMs: number; timeoutMs?: number },
): Promise<EndedTree> {
  const root = rootOf(tree);
  const known = new Map<number, string>();
  const killed = new Set<number>();
  const started = (await readProcessTable()).find(({ pid }) => pid === root.pid)?.startedAt;
  // The number of a root that has ended may be another process's.
  const isOther = (row: ProcessRow) => row.pid === root.pid && row.startedAt !== started;
  const livingMembers = async () => {
    const table = (await readProcessTable()).filter((row) => !isOther(row));
    return membersOf(root, table, known).filter((row) => !endedStates.includes(row.state));
  };
  await livingMembers();
  await signalTree(root, 'SIGTERM');
  await continueTree(root, 'everything').catch(() => undefined);
  const killAt = performance.now() + graceMs;
  for (let scan = 0; ; scan++) {
    const living = await livingMembers();
    if (living.length === 0) return { processes: known.size, killed: killed.size };
    const now = performance.now();
    if (now > killAt + timeoutMs) throw new Error(`${named(living)} did not end`);
    if (now > killAt) for (const { pid } of living) if (send(pid, 'SIGKILL')) killed.add(pid);
    await delay(Math.min(5 + scan, 50));
  }
}

/** Some processes of the tree did not stop. `stopped` holds those that did and must be continued. */
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
  const still = stoppedStates + endedStates;
  return still.includes(row.state) && readThreadStates(row).every((state) => still.includes(state));
}

/**
 * A parent in `vfork` (posix_spawn, Node's own spawn) waits uninterruptibly until its child has called exec. A child that is stopped
 * just before exec would keep the parent in state D. So the child is continued for one round, and stopped again after its exec.
 */
function releaseVforkChild(row: ProcessRow, members: readonly ProcessRow[], waiting: Map<number, number>): void {
  if (process.platform !== 'linux' || !readThreadStates(row).includes('D')) {
    waiting.delete(row.pid);
    return;
  }
  const scans = (waiting.get(row.pid) ?? 0) + 1;
  waiting.set(row.pid, scans % vforkSuspectScans);
  if (scans < vforkSuspectScans) return;
  const program = programOf(row.pid);
  for (const child of members) {
    // Before its exec a child still runs its parent's program.
    if (child.ppid === row.pid && stoppedStates.includes(child.state) && programOf(child.pid) === program) send(child.pid, 'SIGCONT');
  }
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** Whether the signal was delivered. False when the process has ended (ESRCH) or belongs to another user (EPERM). */
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
  // kill(-1) would reach every process of the user, and kill(0) the group of this process.
  if (!Number.isSafeInteger(root.pid) || root.pid <= 1 || root.pid === process.pid) {
    throw new RangeError(`not the root of a process tree: ${root.pid}`);
  }
  return root;
}

function result(root: TreeRoot, members: readonly ProcessRow[]): TreeResult {
  const pids = members.filter((row) => !endedStates.includes(row.state)).map((row) => row.pid);
  return { pids, root: pids.includes(root.pid) ? 'alive' : 'gone' };
}

function named(rows: readonly ProcessRow[]): string {
  const names = rows.slice(0, 20).map((row) => `${row.pid} (state ${row.state})`);
  const more = rows.length > names.length ? ` and ${rows.length - names.length} more` : '';
  return `${rows.length === 1 ? 'process' : 'processes'} ${names.join(', ')}${more}`;
}
