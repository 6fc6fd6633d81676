import { existsSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../executable/make-folder.ts';
import { z } from 'zod';

import { type ProcessRow, readProcessTable } from './tree/process-table.ts';

const storedRun = z.object({
  session: z.string(),
  pid: z.int(),
  /** Together with the pid it identifies one process even when pids are reused; '' where the platform does not report it. */
  started_at: z.string(),
  instance_id: z.string(),
  /** The `instance_id` of the run whose program started this run. */
  within: z.string().optional(),
  cwd: z.string(),
  /** The top of the work tree that holds `cwd`. */
  root: z.string(),
});

/** A live run and the work tree in which it works. */
export type LiveRun = z.output<typeof storedRun>;

/** This run's entry in the list of the user's live runs. */
export interface LiveRuns {
  /** Other runs in the work tree. Runs that this run's program started are left out, because they are stopped together with it. */
  othersIn(root: string): Promise<LiveRun[]>;
  /** Removes this run from the list. */
  close(): void;
}

/** The folder below the user's state folder that holds a file for each live run. */
export function liveRunsFolder(stateFolder: string): string {
  return join(stateFolder, 'runs');
}

/** Adds this run to the list. When the list cannot be written, other runs do not see this run; everything else works. */
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
      makeFolder(folder, 0o700);
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

/** Describes a run in a sentence for the user. */
export function describeRun({ session, instance_id, cwd }: LiveRun): string {
  return `another run works in this work tree: session ${session} (${instance_id}, in ${cwd})`;
}

/** The live runs of this user. Entries of runs that have ended are removed. */
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

/** The nearest folder at or above `cwd` that holds a git repository. */
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
