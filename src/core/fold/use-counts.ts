import { sum } from './fold-values.ts';

/** How often something was used, and how long the uses took whose time is known. */
export interface UseCounts {
  started: number;
  completed: number;
  failed: number;
  duration_s: number;
  durations: number;
}

/** What the last event says of one use. `timedMs` is null where no time is told. */
export interface Use {
  step: 'started' | 'completed' | 'failed';
  timedMs: number | null;
}

/** The counts with one more step of a use, in the entry that `isSame` finds, or in a new one; undefined when that would be more than `most`. */
export function withUse<Names extends object>(
  all: readonly (Names & UseCounts)[],
  names: Names,
  isSame: (each: Names) => boolean,
  { step, timedMs }: Use,
  most: number,
): (Names & UseCounts)[] | undefined {
  const at = all.findIndex(isSame);
  if (at === -1 && all.length >= most) return undefined;
  const before = all[at] ?? { ...names, started: 0, completed: 0, failed: 0, duration_s: 0, durations: 0 };
  const after = {
    ...before,
    [step]: before[step] + 1,
    duration_s: sum(before.duration_s, (timedMs ?? 0) / 1_000),
    durations: before.durations + (timedMs === null ? 0 : 1),
  };
  return at === -1 ? [...all, after] : all.with(at, after);
}
