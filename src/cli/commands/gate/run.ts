import type { SessionState } from '../../../core/protocol/session-state.ts';
import { Failure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { lookedAtSession } from '../../server-access/live-sessions.ts';
import { request } from '../../server-access/server-request.ts';
import type { GateOptions } from './definition.ts';

/** Returns at once, or, while the session is halted, as soon as it may go on. */
export async function gate({ options, settings, output }: Invocation<GateOptions>): Promise<void> {
  const startedAt = performance.now();
  const session = await lookedAtSession(settings);
  let state: SessionState = await request(settings, 'session', { path: { id: session } });
  if (isHeld(state)) {
    const { by = null, reason = null } = state.halt ?? {};
    output.note(
      `${session} is ${state.status}${by === null ? '' : ` by ${by}`}${reason === null ? '' : `: ${reason}`}; waiting for RESUME`,
    );
    // Only a flag: a time that holds for requests in general must not open the gate.
    const timeoutMs = options.timeout === undefined ? undefined : settings.timeoutMs;
    const { awaitedState } = await import('../../server-access/awaited-state.ts');
    const opened = await awaitedState({ settings, session, timeoutMs }, (now) => (isHeld(now) ? undefined : now));
    if (opened === undefined) {
      throw new Failure('TIMEOUT', `${session} is still halted after ${options.timeout}`, {
        hints: [`let it go on: shannon-dash send RESUME -s ${session}`],
      });
    }
    state = opened;
  }
  if (output.isJson)
    output.document({ ok: true, session_id: session, status: state.status, waited_ms: Math.round(performance.now() - startedAt) });
}

function isHeld({ status }: SessionState): boolean {
  return status === 'halted' || status === 'halting';
}
