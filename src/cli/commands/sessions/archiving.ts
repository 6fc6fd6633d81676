import type { Invocation } from '../../invocation.ts';
import { publishOne } from '../../server-access/publishing.ts';
import type { SessionsOptions } from './definition.ts';
import { endedSessions } from './ended-sessions.ts';

/** Puts sessions away that are over, or takes them back. @throws Failure one goes on */
export async function archiveSessions(
  ids: readonly string[],
  archived: boolean,
  { settings, output }: Invocation<SessionsOptions>,
): Promise<void> {
  const states = await endedSessions(settings, ids, archived ? 'put away' : 'taken back');
  for (const { session_id, archived: isSo } of states) {
    if (isSo !== archived) await publishOne(settings, session_id, { type: 'run:marked', data: { archived, by: settings.client } }, output);
  }
  if (output.isJson) output.document({ ok: true, sessions: ids, archived });
  else output.line(`${archived ? 'put away' : 'took back'} ${ids.join(', ')}`);
}
