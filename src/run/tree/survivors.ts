import { readFileSync } from 'node:fs';
import { readProcessTable } from './process-table.ts';
import { membersOf, type TreeRoot } from './tree-members.ts';

/** A process that goes on although its program has ended. */
export interface Survivor {
  pid: number;
  /** The name of its program; empty where the system does not tell. */
  name: string;
}

/** So many are named. */
const mostNamed = 20;

/** The processes of a tree whose root has ended: as far as they are in its session or group, or were known before. */
export async function survivorsOf(root: TreeRoot): Promise<Survivor[]> {
  const members = membersOf(root, await readProcessTable(), new Map());
  return members
    .filter(({ pid, state }) => pid !== root.pid && !'ZXx'.includes(state))
    .slice(0, mostNamed)
    .map(({ pid }) => ({ pid, name: nameOf(pid) }));
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim().toWellFormed();
  } catch {
    return '';
  }
}
