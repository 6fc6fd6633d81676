import { eventFilter } from '../../../core/event-filter.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { recordingLines } from '../../recordings/recording-file.ts';
import { eventLines } from '../../terminal/event-lines.ts';
import type { WatchOptions } from './definition.ts';

/** What goes with sessions of a server only. */
const notWithFile = {
  wait: '--wait',
  all: '--all',
  tail: '--tail',
  until: '--until',
  exitStatus: '--exit-status',
  failOnDecision: '--fail-on-decision',
  bell: '--bell',
  desktop: '--desktop',
  notify: '--notify',
} as const satisfies Partial<Record<keyof WatchOptions, string>>;

/** Shows the events of a file of recordings as lines or JSON documents; no server is asked. @throws Failure see `recordingLines` */
export async function watchRecording(file: string, { options, output }: Invocation<WatchOptions>): Promise<void> {
  for (const [name, flag] of Object.entries(notWithFile)) {
    if (options[name as keyof typeof notWithFile] === undefined) continue;
    throw usageFailure(`${flag} is for sessions of a server, not for a recording`, 'with a recording: --filter, --since, --at, --json');
  }
  const { since = 0, at = Infinity, filter: globs = [] } = options;
  const filter = eventFilter(globs);
  let sessions = 0;
  output.endWithReader();
  for await (const { header, event } of recordingLines(file)) {
    if (event === undefined) {
      sessions++;
      const { session_id: id, seq, versions } = header;
      output.note(`${id}: ${seq} ${seq === 1 ? 'event' : 'events'}, recorded by shannon-dash ${versions.shannon_dash}`);
    } else if (event.seq > since && event.seq <= at && filter(event.type)) {
      if (output.isJson) await output.streamDocument(event);
      else for (const line of eventLines({ event, output, withSession: sessions > 1 })) await output.stream(line);
    }
  }
}
