import type { CommandType } from '../../../core/protocol/command.ts';
import type { DelegateState, Lease, OrchestratorState, SessionState } from '../../../core/protocol/session-state.ts';

/** The two places at a session: an orchestrator's, and that of a program under it (`run` and its child). */
export type Place = 'primary' | 'delegate';

/** Who holds a place, as the journal tells it; undefined when nobody is attached there. */
export function holderOf({ orchestrator, delegate }: SessionState, place: Place): OrchestratorState | DelegateState | undefined {
  if (place === 'delegate') return delegate ?? undefined;
  return orchestrator?.attached === true ? orchestrator : undefined;
}

/** Who carries out commands of this type: the program under the orchestrator those of its capabilities, the orchestrator the rest. */
export function executorOf(state: SessionState, type: CommandType): { instance_id: string | null; lease: Lease } | undefined {
  const delegate = holderOf(state, 'delegate');
  return delegate?.capabilities.includes(type) === true ? delegate : holderOf(state, 'primary');
}

/** Whether anybody is attached. */
export function isAttended(state: SessionState): boolean {
  return holderOf(state, 'primary') !== undefined || holderOf(state, 'delegate') !== undefined;
}

/** The attachments whose server is gone, so that nobody can reach them any more. */
export function abandoned(state: SessionState, servers: ReadonlySet<string>): Place[] {
  return (['primary', 'delegate'] as const).filter((place) => {
    const holder = holderOf(state, place);
    return holder !== undefined && (holder.lease.server === null || !servers.has(holder.lease.server));
  });
}
