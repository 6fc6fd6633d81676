import type { SessionState } from '../../../core/protocol/session-state.ts';
import { isLive } from '../../../core/protocol/session-state.ts';
import { Failure } from '../../failure.ts';
import { request } from '../../server-access/server-request.ts';
import type { Settings } from '../../settings/settings.ts';

/** The states of sessions that are over. @param done what only such ones are: `removed` @throws Failure one goes on */
export async function endedSessions(settings: Settings, ids: readonly string[], done: string): Promise<SessionState[]> {
  const states = await Promise.all(ids.map((id) => request(settings, 'session', { path: { id } })));
  const going = states.find(({ status }) => isLive(status));
  if (going === undefined) return states;
  const { session_id, status } = going;
  throw new Failure('CONFLICT', `${session_id} is ${status}; only what is over is ${done}`, {
    hints: [`look: shannon-dash watch ${session_id}`],
  });
}
