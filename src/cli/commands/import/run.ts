import { sessionId } from '../../../core/ids.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { bytes, counted } from '../../../view/text/numbers.ts';
import { Failure, usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { asRefused, bytesOf, shownName, sizeOf, standardInput } from '../../recordings/recording-file.ts';
import { withReachedJournal } from '../../server-access/journal-reader.ts';
import { uploadRecordings } from '../../server-access/upload.ts';
import { Progress } from '../../terminal/progress.ts';
import type { ImportOptions } from './definition.ts';

/** Brings the sessions of a file to the journal of the server, which looks at every line. */
export async function importSessions({
  args: [file = ''],
  options,
  settings: given,
  output,
  interruption,
}: Invocation<ImportOptions>): Promise<void> {
  const { as, skipExisting = false } = options;
  if (as !== undefined && !sessionId.safeParse(as).success)
    throw usageFailure('--as must be 1 to 128 of A-Z a-z 0-9 . _ : -, the first one alphanumeric');
  if (file === standardInput && process.stdin.isTTY)
    throw usageFailure('a recording on the standard input comes from a file or a pipe', 'such as: shannon-dash import - < run.ndjson');
  // A file that is not there is told before a server is started.
  const total = sizeOf(file);
  const settings = await withReachedJournal(given, output);
  const progress = new Progress(output, { resultsAtEnd: true });
  const signal = interruption.hold();
  try {
    const asked = { as, existing: skipExisting ? ('skip' as const) : ('refuse' as const) };
    const { imported, skipped } = await uploadRecordings(settings, asked, { bytes: told(file, total, progress), signal });
    progress.end();
    if (output.isJson) return output.document({ imported, skipped });
    for (const { session_id, seq } of imported) output.line(`imported ${session_id}: ${counted(seq, 'event')}`);
    for (const id of skipped) output.note(`${id} is there already, and was left out`);
  } catch (error) {
    progress.end();
    if (!signal.aborted) throw inWords(error, file);
    output.note('stopped: of a session that was not whole yet nothing is there');
  }
}

/** The bytes of a file, and while they are sent how many were. */
async function* told(file: string, total: number | undefined, progress: Progress): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const piece of bytesOf(file)) {
    yield piece;
    sent += piece.length;
    const done = sent;
    progress.tell(() => `imported ${bytes(done)}${total === undefined ? '' : ` of ${bytes(total)}`}`, total && done / total);
  }
}

/** A fault by the name of the file, and the way out. */
function inWords(error: unknown, file: string): unknown {
  if (!(error instanceof ShannonDashError) || error instanceof Failure) return error;
  const message = error.message.replace(/^the recording\b/, () => shownName(file));
  const { code, details, retryAfterMs } = error;
  if (code === 'INVALID') return asRefused(new ShannonDashError(code, message));
  if (code === 'CONFLICT' && message.includes('exists already'))
    return new Failure('CONFLICT', message, {
      hints: [
        'import it by another name: --as NAME',
        'leave out what is there: --skip-existing',
        'or remove that one: shannon-dash sessions rm NAME',
      ],
      cause: error,
    });
  return new ShannonDashError(code, message, details, { cause: error, retryAfterMs });
}
