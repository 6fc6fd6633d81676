import type { AnswerOf } from '../../../core/http-api.ts';
import { safeJson } from '../../../core/text/safe-text.ts';
import { version } from '../../../executable/own-program.ts';
import { count } from '../../../view/text/numbers.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { headerOf } from '../../../core/recording/recording.ts';
import { servedHistory } from '../../recordings/served-history.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { existingSession, listSessions, lookedAtSession } from '../../server-access/live-sessions.ts';
import { request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';
import { Progress } from '../../terminal/progress.ts';
import type { ExportOptions } from './definition.ts';

/** Writes the whole history of a session, or of each, up to where it is now. */
export async function exportSessions({ args: [named], options, settings: given, output }: Invocation<ExportOptions>): Promise<void> {
  if (options.all === true && named !== undefined) throw usageFailure('--all goes without a name');
  const settings = await withReachedJournal(given, output);
  const sessions = options.all === true ? await allOf(settings) : [await chosen(settings, named)];
  const total = sessions.reduce((sum, { seq }) => sum + seq, 0);
  const progress = new Progress(output);
  output.endWithReader();
  let written = 0;
  try {
    for (const { session_id, seq } of sessions) {
      // Refused where retention has taken some of it: a recording needs all.
      const beginning = await request(settings, 'session', { path: { id: session_id }, query: { at: 0 } }).catch((error: unknown) => {
        if (options.all !== true) throw error;
        output.warn(`${session_id} is left out: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      });
      if (beginning === undefined) continue;
      for await (const lines of recordingOf(settings, beginning, seq)) {
        await write(output.isTerminal ? lines.map(safeJson) : lines);
        written += lines.length;
        progress.tell(() => `exported ${count(Math.min(written, total))} of ${count(total)} events`, written / total);
      }
    }
  } finally {
    progress.end();
  }
}

interface Recorded {
  session_id: string;
  seq: number;
}

async function allOf(settings: Settings): Promise<Recorded[]> {
  return (await listSessions(settings)).toSorted((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0));
}

async function chosen(settings: Settings, named: string | undefined): Promise<Recorded> {
  const id = named === undefined ? await lookedAtSession(settings, { orLatest: true }) : await existingSession(settings, named);
  return request(settings, 'session', { path: { id } });
}

/** The lines of a recording, page by page. @param beginning the session before its first event @param last the last event of it */
async function* recordingOf(settings: Settings, beginning: AnswerOf<'session'>, last: number): AsyncGenerator<string[]> {
  const header = headerOf(beginning, last, version);
  yield [JSON.stringify(header)];
  // The server has written the JSON of each event as JSON.stringify does: the same value gives the same bytes.
  for await (const events of servedHistory(settings, header)) yield events.map((event) => JSON.stringify(event));
}

/** Resolves when there is room for more. */
async function write(lines: readonly string[]): Promise<void> {
  if (process.stdout.write(`${lines.join('\n')}\n`)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}
