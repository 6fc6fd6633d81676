import type { Analytics } from '../../../core/rollup/analytics-api.ts';
import { analyticsCsv } from '../../../core/rollup/analytics-csv.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { analyticsCells, analyticsHeads } from '../../../view/text/analytics-cells.ts';
import { counted } from '../../../view/text/numbers.ts';
import type { Invocation } from '../../invocation.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { request } from '../../server-access/server-request.ts';
import { pointInTime } from '../../settings/point-in-time.ts';
import type { Output } from '../../terminal/output.ts';
import { tableLines, type Cell } from '../../terminal/table.ts';
import type { AnalyticsOptions } from './definition.ts';

/** Shows what all sessions add up to. */
export async function analytics({ options, settings: given, output }: Invocation<AnalyticsOptions>): Promise<void> {
  const { by = 'day' } = options;
  const query = { by, since: dayOf(options.since), until: dayOf(options.until) };
  const settings = await withReachedJournal(given, output);
  const answer = await request(settings, 'analytics', { query });
  if (output.isJson) {
    output.document(answer);
    return;
  }
  if (options.csv === true) {
    for (const line of analyticsCsv(answer.rows).trimEnd().split('\r\n')) output.line(line);
    return;
  }
  if (answer.rows.length === 0) {
    output.note('there are no runs of that time; start one: shannon-dash run -- COMMAND');
    return;
  }
  for (const line of await tableOf(by, answer, output)) output.line(line);
  if (answer.left_out > 0) output.note(`and ${counted(answer.left_out, 'further row')}; narrow it down: --since 7d`);
}

function dayOf(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(pointInTime(time)).toISOString().slice(0, 10);
}

async function tableOf(by: string, { total, rows }: Pick<Analytics, 'total' | 'rows'>, output: Output): Promise<string[]> {
  const cells: (Cell | string)[][] = rows.map((row) => [safeLine(row.key, 40), ...analyticsCells(row)]);
  // Of skills, the total of runs is another thing.
  if (by !== 'skill' && rows.length > 1) cells.push([{ text: 'all', tone: 'strong' }, ...analyticsCells(total)]);
  return tableLines([by.toUpperCase(), ...analyticsHeads], cells, output);
}
