import type { RecordingLine } from '../../../core/recording/read-recordings.ts';
import { headerOf, type RecordingHeader } from '../../../core/recording/recording.ts';
import type { SessionEvent } from '../../../core/protocol/event.ts';
import { version } from '../../../executable/own-program.ts';
import { Failure } from '../../failure.ts';
import { recordingLines, shownName } from '../../recordings/recording-file.ts';
import { servedHistory } from '../../recordings/served-history.ts';
import { request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';

/** What is replayed: what it was before its first event, and its events. */
export interface RecordedSource {
  header: RecordingHeader;
  events: AsyncIterable<SessionEvent>;
}

/** A session of the server, up to where it is now. @throws ShannonDashError GONE retention has taken its first events */
export async function sourceOfSession(settings: Settings, id: string): Promise<RecordedSource> {
  const { seq } = await request(settings, 'session', { path: { id } });
  const header = headerOf(await request(settings, 'session', { path: { id }, query: { at: 0 } }), seq, version);
  return { header, events: historyOf(settings, header) };
}

async function* historyOf(settings: Settings, header: RecordingHeader): AsyncGenerator<SessionEvent> {
  for await (const events of servedHistory(settings, header)) yield* events;
}

/** A recording of a file. @param named its session; undefined: there must be one only @throws Failure there are others, or none */
export async function sourceOfFile(file: string, named: string | undefined): Promise<RecordedSource> {
  const lines = recordingLines(file);
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Failure('NOT_FOUND', `${shownName(file)} has no recording of ${named ?? 'a session'}`);
    if (value.event !== undefined || (named !== undefined && value.header.session_id !== named)) continue;
    return { header: value.header, events: eventsOf(lines, value.header, { file, isOnly: named === undefined }) };
  }
}

async function* eventsOf(
  lines: AsyncGenerator<RecordingLine>,
  { seq }: RecordingHeader,
  { file, isOnly }: { file: string; isOnly: boolean },
): AsyncGenerator<SessionEvent> {
  let left = seq;
  for await (const { event } of lines) {
    if (event === undefined) {
      if (isOnly)
        throw new Failure('INVALID', `${shownName(file)} has several recordings, and the first is over`, {
          hints: ['name the session of one: shannon-dash replay FILE SESSION'],
        });
      return;
    }
    yield event;
    if (--left === 0 && !isOnly) return;
  }
}
