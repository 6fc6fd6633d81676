import type { Invocation } from '../../invocation.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { everySecond } from '../../terminal/every-second.ts';
import type { StatsOptions } from './definition.ts';
import { readStats, statsLines } from './server-stats.ts';

/** The lines above the sessions, and the row of the cursor. */
const linesBeside = 8;

/** Shows the figures of the server and its sessions once, or every second anew. */
export async function showStats({ options, settings: given, output, interruption }: Invocation<StatsOptions>): Promise<void> {
  const settings = await withReachedJournal(given, output);
  const isInPlace = options.watch === true && output.isTerminal;
  const look = async (): Promise<string[]> => {
    const read = await readStats(settings);
    if (!output.isJson) return statsLines(read, output, isInPlace ? Math.max(1, process.stdout.rows - linesBeside) : 20);
    await output.streamDocument(read);
    return [];
  };
  if (options.watch === true) return everySecond(look, output, interruption);
  for (const line of await look()) output.line(line);
}
