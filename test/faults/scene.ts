import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How much a row does: `short` for the tests, `full` for `npm run faults`, `long` for its `--long`. */
export type Size = 'short' | 'full' | 'long';

/** One thing that a row looks at. */
export interface Check {
  what: string;
  /** What was seen. */
  figure: string;
  /** What it has to be. */
  line: string;
  isMet: boolean;
  /** True: time or memory, which a busy machine can change. The tests do not assert those. */
  isMeasured?: boolean;
}

/** A fault, and what has to hold under it. */
export interface Row {
  name: string;
  fault: string;
  run: (scene: Scene) => Promise<Check[]>;
}

/** Where a row runs: its folder, and what has to be ended after it. */
export class Scene {
  readonly size: Size;
  readonly folder = mkdtempSync(join(tmpdir(), 'shannon-dash-faults-'));
  readonly #closers: (() => unknown)[] = [];
  #folders = 0;

  constructor(size: Size) {
    this.size = size;
  }

  /** One of two or three numbers, by the size. */
  sized(short: number, full: number, long = full): number {
    return { short, full, long }[this.size];
  }

  newFolder(): string {
    const folder = join(this.folder, String(++this.#folders));
    mkdirSync(folder);
    return folder;
  }

  onEnd(close: () => unknown): void {
    this.#closers.push(close);
  }

  async end(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A check that is met where two texts or numbers are the same. */
export function same(what: string, figure: string | number, line: string | number): Check {
  return { what, figure: String(figure), line: String(line), isMet: figure === line };
}

/** A check of a figure that has to be at most so much. */
export function atMost(what: string, figure: number, most: number, unit: string): Check {
  return { what, figure: `${rounded(figure)} ${unit}`, line: `≤ ${rounded(most)} ${unit}`, isMet: figure <= most, isMeasured: true };
}

export function atLeast(what: string, figure: number, least: number, unit: string): Check {
  return { what, figure: `${rounded(figure)} ${unit}`, line: `≥ ${rounded(least)} ${unit}`, isMet: figure >= least, isMeasured: true };
}

/** A figure that is told without a line. */
export function told(what: string, figure: string): Check {
  return { what, figure, line: '', isMet: true, isMeasured: true };
}

function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2);
}

/** Waits until something holds. @throws Error when it does not in time */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
