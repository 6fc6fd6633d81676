import type { Invocation } from '../../invocation.ts';
import { publishOne } from '../../server-access/publishing.ts';
import { request } from '../../server-access/server-request.ts';
import type { SessionsOptions } from './definition.ts';

/** Pins sessions, live or over, so that retention leaves them alone; or unpins them. */
export async function pinSessions(
  ids: readonly string[],
  pinned: boolean,
  { settings, output }: Invocation<SessionsOptions>,
): Promise<void> {
  for (const id of ids) {
    const { pinned: isSo } = await request(settings, 'session', { path: { id } });
    if (isSo !== pinned) await publishOne(settings, id, { type: 'run:marked', data: { pinned, by: settings.client } }, output);
  }
  if (output.isJson) output.document({ ok: true, sessions: ids, pinned });
  else output.line(`${pinned ? 'pinned' : 'unpinned'} ${ids.join(', ')}`);
}
