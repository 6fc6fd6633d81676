import type { SessionState } from '../../../core/protocol/session-state.ts';
import { Failure } from '../../failure.ts';
import { option, type Invocation, type Program } from '../../program.ts';

interface GateOptions {
  timeout?: string;
}

/** `gate`: a place in a script where a HALT holds it. */
export function registerGate(program: Program): void {
  program.add<GateOptions>({
    usage: 'gate',
    summary: 'Wait while the session is halted; exit 0 once it may go on',
    examples: ['gate && ./next-step.sh', 'gate --timeout 10m', 'gate -s run-7f3a -q'],
    options: [
      option('-s, --session <id>', 'the session (default: the only live one)'),
      option('--timeout <time>', 'exit 3 when it is still halted then (default: wait)'),
    ],
    run: gate,
  });
}

async function gate({ options, settings, output }: Invocation<GateOptions>): Promise<void> {
  const [{ request }, { chooseSession }] = await Promise.all([
    import('../../server-access/server-request.ts'),
    import('../../server-access/live-sessions.ts'),
  ]);
  const startedAt = performance.now();
  const session = await chooseSession(settings);
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
