import type { Output } from './output.ts';

const everyMs = 100;
const barCells = 24;

/** One line on stderr that says how far a long work is, in its place, while the results go elsewhere or come at its end. */
export class Progress {
  readonly #isShown: boolean;
  #toldAt = -Infinity;

  /** @param resultsAtEnd nothing goes to stdout before `end` */
  constructor(output: Output, { resultsAtEnd = false }: { resultsAtEnd?: boolean } = {}) {
    this.#isShown = process.stderr.isTTY && (resultsAtEnd || !output.isTerminal) && !output.isQuiet;
  }

  /** Shows a line, at most ten times a second. The text must be safe already. @param share how much is done, from 0 to 1, where it is known */
  tell(line: () => string, share?: number): void {
    const now = performance.now();
    if (!this.#isShown || now - this.#toldAt < everyMs) return;
    this.#toldAt = now;
    process.stderr.write(`\r\x1b[K${share === undefined ? '' : `${bar(share)} `}${line()}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#toldAt !== -Infinity) process.stderr.write('\r\x1b[K');
    this.#toldAt = -Infinity;
  }
}

function bar(share: number): string {
  const part = Math.min(1, Math.max(0, share));
  const full = Math.floor(part * barCells);
  return `[${'#'.repeat(full)}${'-'.repeat(barCells - full)}] ${Math.floor(part * 100)}%`;
}
