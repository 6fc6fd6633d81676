import { isLive } from '../../../core/protocol/session-state.ts';
import type { Invocation } from '../../invocation.ts';
import { byChange } from '../../server-access/live-sessions.ts';
import { request, serverNowMs } from '../../server-access/server-request.ts';
import { sessionTable } from '../../terminal/session-table.ts';
import type { SessionsOptions } from './definition.ts';

/** Lists the sessions, those that changed last first. */
export async function showSessions({ options, settings, output }: Invocation<SessionsOptions>): Promise<void> {
  const answer = await request(settings, 'sessions', {});
  const all = answer.sessions;
  const found = (options.live === true ? all.filter(({ status }) => isLive(status)) : all).toSorted(byChange);
  const sessions = found.slice(0, options.limit ?? 20);
  if (output.isJson) {
    output.document({ sessions, total: found.length });
    return;
  }
  if (found.length === 0) output.note('no sessions yet; start one: shannon-dash run -- COMMAND');
  else for (const line of await sessionTable(sessions, serverNowMs(answer), output)) output.line(line);
  if (found.length > sessions.length) output.note(`and ${found.length - sessions.length} more: --limit ${found.length}`);
}
