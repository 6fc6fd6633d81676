import { limits } from '../../core/protocol/limits.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { SessionEvent } from '../../core/protocol/event.ts';
import type { RecordingHeader } from '../../core/recording/recording.ts';
import { Failure } from '../failure.ts';
import { request } from '../server-access/server-request.ts';
import type { Settings } from '../settings/settings.ts';

/** The whole history of a session up to where its header says, page by page. @throws Failure CONFLICT the session was deleted meanwhile */
export async function* servedHistory(
  settings: Settings,
  { session_id: id, epoch, seq }: Pick<RecordingHeader, 'session_id' | 'epoch' | 'seq'>,
): AsyncGenerator<readonly SessionEvent[]> {
  for (let after = 0; after < seq;) {
    const query = { after, limit: Math.min(limits.historyEvents, seq - after) };
    const page = await request(settings, 'history', { path: { id }, query }).catch((error: unknown) => {
      throw error instanceof ShannonDashError && error.code === 'NOT_FOUND' ? deleted(id) : error;
    });
    const end = page.events.at(-1)?.seq ?? after;
    if (page.epoch !== epoch || end <= after) throw deleted(id);
    yield page.events;
    after = end;
  }
}

function deleted(id: string): Failure {
  return new Failure('CONFLICT', `${id} was deleted while it was read: what came of it is not whole`, {
    hints: ['see all: shannon-dash sessions'],
  });
}
