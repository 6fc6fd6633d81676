import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

import { type ProcessRow, readProcessTable } from './tree/process-table.ts';

const storedRun = z.object({
  session: z.string(),
  pid: z.int(),
  /** With the pid it names one process for ever; '' where the platform does not tell. */
  started_at: z.string(),
  instance_id: z.string(),
  /** The run in whose program this one was started. */
  within: z.string().optional(),
  cwd: z.string(),
  /** The top of the work tree that holds `cwd`. */
  root: z.string(),
});

/** A run that works in some work tree. */
export type LiveRun = z.output<typeof storedRun>;

/** This run among the user's live ones. */
export interface LiveRuns {
  /** Other runs in the work tree, but for those that this run's program started: they stand still with it. */
  othersIn(root: string): Promise<LiveRun[]>;
  /** This run has ended. */
  close(): void;
}

/** The folder below the user's state folder that holds a file for each live run. */
export function liveRunsFolder(stateFolder: string): string {
  return join(stateFolder, 'runs');
}

/** Enters this run among the live ones. Where that cannot be written it is not found by others, and no worse off. */
export async function enterLiveRuns(
  stateFolder: string,
  { session, instanceId, within, cwd }: { session: string; instanceId: string; within: string | undefined; cwd: string },
): Promise<LiveRuns> {
  const folder = liveRunsFolder(stateFolder);
  const file = join(folder, `${process.pid}.json`);
  const root = workTreeOf(cwd);
  if (root !== undefined) {
    const startedAt = (await readProcessTable()).find(({ pid }) => pid === process.pid)?.startedAt ?? '';
    const own: LiveRun = { session, pid: process.pid, started_at: startedAt, instance_id: instanceId, within, cwd, root };
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(file, JSON.stringify(own), { mode: 0o600 });
    } catch {
      // A read-only home, or a full disk.
    }
  }
  return {
    async othersIn(top) {
      const all = await readLiveRuns(stateFolder);
      return all.filter((each) => each.pid !== process.pid && each.root === top && !isWithin(each, instanceId, all));
    },
    close: () => rmSync(file, { force: true }),
  };
}

/** A run in words. */
export function describeRun({ session, instance_id, cwd }: LiveRun): string {
  return `another run works in this work tree: session ${session} (${instance_id}, in ${cwd})`;
}

/** The live runs of this user; what others left behind is removed. */
export async function readLiveRuns(stateFolder: string): Promise<LiveRun[]> {
  const folder = liveRunsFolder(stateFolder);
  const table = await readProcessTable();
  const runs: LiveRun[] = [];
  for (const name of namesIn(folder)) {
    const file = join(folder, name);
    const run = readRun(file);
    if (run !== undefined && isAlive(run, table)) runs.push(run);
    else rmSync(file, { force: true });
  }
  return runs;
}

function readRun(file: string): LiveRun | undefined {
  try {
    return storedRun.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started_at }: LiveRun, table: readonly ProcessRow[]): boolean {
  const row = table.find((each) => each.pid === pid);
  return row !== undefined && row.startedAt === started_at && row.state !== 'Z';
}

function isWithin(run: LiveRun, instanceId: string, all: readonly LiveRun[]): boolean {
  const seen = new Set<string>();
  for (let { within } = run; within !== undefined && !seen.has(within);) {
    if (within === instanceId) return true;
    seen.add(within);
    within = all.find((each) => each.instance_id === within)?.within;
  }
  return false;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** The nearest folder with a repository, as git finds it. */
function workTreeOf(cwd: string): string | undefined {
  try {
    const real = realpathSync(cwd);
    for (let folder = real; ; folder = dirname(folder)) {
      if (existsSync(join(folder, '.git'))) return folder;
      if (folder === dirname(folder)) return undefined;
    }
  } catch {
    return undefined;
  }
}
