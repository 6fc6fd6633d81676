import { limits } from '../core/protocol/limits.ts';
import { isEnded, type SessionState } from '../core/protocol/session-state.ts';
import { finishedDuration } from './text/numbers.ts';
import { shown } from './text/shown-text.ts';

/** Whether the attached orchestrator says that it can end its program. */
export function takesStops({ orchestrator }: SessionState): boolean {
  return orchestrator?.attached === true && orchestrator.capabilities.includes('STOP');
}

/** Why nothing of a session can be ended, as a sentence; undefined where a STOP is taken. */
export function whyNoStop(state: SessionState): string | undefined {
  if (isEnded(state.status)) return `${shown(state.session_id, 60)} has ended already: there is nothing to stop`;
  if (takesStops(state)) return undefined;
  return 'nobody takes a STOP here: it ends programs under shannon-dash run; H halts';
}

/** What a STOP does to a session, in sentences to read before it is confirmed. */
export function stopSentences({ task }: SessionState): string[] {
  return [
    ...(task === null ? [] : [`Task: ${shown(task, 300)}`]),
    'The program is asked to end (SIGTERM), with everything that it has started.',
    `What is left after ${finishedDuration(limits.stopGraceMs)} is ended by force (SIGKILL).`,
    'It cannot be resumed afterwards. H halts it instead, R lets it go on.',
  ];
}
