import { setTimeout as wait } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { failureOf } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import type { StatsOptions } from './definition.ts';
import { readStats, statsLines } from './server-stats.ts';

const everyMs = 1_000;
/** The lines above the sessions, and the row of the cursor. */
const linesBeside = 8;

/** Shows the figures of the server and its sessions once, or every second anew. */
export async function showStats({ options, settings, output, interruption }: Invocation<StatsOptions>): Promise<void> {
  const show = async (above: number): Promise<number> => {
    const read = await readStats(settings);
    if (output.isJson) {
      await output.streamDocument(read);
      return 0;
    }
    const isLive = options.watch === true && output.isTerminal;
    const lines = await statsLines(read, output, isLive ? Math.max(1, process.stdout.rows - linesBeside) : 20);
    // On a terminal the new lines replace the former ones; elsewhere they are appended.
    if (above > 0) process.stdout.write(`\x1b[${above}A\x1b[J`);
    for (const line of lines) output.line(line);
    if (!isLive) return 0;
    // A line that is too long takes several rows.
    const rowsOf = (line: string) => Math.max(1, Math.ceil(stripVTControlCharacters(line).length / process.stdout.columns));
    return lines.reduce((sum, line) => sum + rowsOf(line), 0);
  };
  let above = await show(0);
  if (options.watch !== true) return;
  output.endWithReader();
  const signal = interruption.hold();
  let isAway = false;
  for (;;) {
    await wait(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      above = await show(above);
      isAway = false;
    } catch (error) {
      // A server that is away may come back: the next look tries again.
      if (!failureOf(error).isRetryable) throw error;
      if (!isAway) output.note(`${failureOf(error).message}; trying again`);
      isAway = true;
      above = 0;
    }
  }
}
