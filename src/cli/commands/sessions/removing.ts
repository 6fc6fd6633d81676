import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { request } from '../../server-access/server-request.ts';
import { canAsk, confirm } from '../../terminal/confirm.ts';
import type { SessionsOptions } from './definition.ts';
import { endedSessions } from './ended-sessions.ts';

/** Deletes sessions that are over, with all their events. @throws Failure one goes on, or the person says no */
export async function removeSessions(ids: readonly string[], { options, settings, output }: Invocation<SessionsOptions>): Promise<void> {
  await endedSessions(settings, ids, 'removed');
  if (options.yes !== true) {
    if (!canAsk(output)) throw usageFailure('off a terminal sessions rm needs --yes', `shannon-dash sessions rm ${ids.join(' ')} --yes`);
    await confirm(`Remove ${ids.join(', ')} with all events, for ever?`);
  }
  for (const id of ids) await request(settings, 'deleteSession', { path: { id } });
  if (output.isJson) output.document({ ok: true, removed: ids });
  else output.line(`removed ${ids.join(', ')}`);
}
