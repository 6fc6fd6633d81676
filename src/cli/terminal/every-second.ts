import { setTimeout as wait } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { failureOf } from '../failure.ts';
import type { Interruption } from './interruption.ts';
import type { Output } from './output.ts';

const everyMs = 1_000;

/**
 * Shows lines every second anew, until a signal: on a terminal in their place, elsewhere one after the other. While the server is
 * away it says so once and goes on.
 * @param look makes the lines; none where it has written its result itself
 * @throws whatever `look` throws at first, and later what the same again cannot mend
 */
export async function everySecond(look: () => Promise<readonly string[]>, output: Output, interruption: Interruption): Promise<void> {
  output.endWithReader();
  const signal = interruption.hold();
  let above = showInPlace(await look(), 0, output);
  let isAway = false;
  for (;;) {
    await wait(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      above = showInPlace(await look(), above, output);
      isAway = false;
    } catch (error) {
      if (!failureOf(error).isRetryable) throw error;
      if (!isAway) output.note(`${failureOf(error).message}; trying again`);
      isAway = true;
      above = 0;
    }
  }
}

/** @param above how many rows of the terminal the lines before have taken @returns the same of these lines */
function showInPlace(lines: readonly string[], above: number, output: Output): number {
  if (above > 0) process.stdout.write(`\x1b[${above}A\x1b[J`);
  for (const line of lines) output.line(line);
  if (!output.isTerminal) return 0;
  // A line that is too long takes several rows.
  const rowsOf = (line: string) => Math.max(1, Math.ceil(stripVTControlCharacters(line).length / process.stdout.columns));
  return lines.reduce((sum, line) => sum + rowsOf(line), 0);
}
