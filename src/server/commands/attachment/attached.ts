import type { CommandType } from '../../../core/protocol/command.ts';
import type { DelegateState, Lease, OrchestratorState, SessionState } from '../../../core/protocol/session-state.ts';

/** The two places at a session: an orchestrator's, and that of a program under it (`run` and its child). */
export type Place = 'primary' | 'delegate';

/** The attachment at a place, as the journal tells it; undefined when there is none. */
export function holderOf({ orchestrator, delegate }: SessionState, place: Place): OrchestratorState | DelegateState | undefined {
  if (place === 'delegate') return delegate ?? undefined;
  return orchestrator?.attached === true ? orchestrator : undefined;
}

/** The attachment that carries out commands of this type: the delegate for its capabilities, the orchestrator for the rest. */
export function executorOf(state: SessionState, type: CommandType): { instance_id: string | null; lease: Lease } | undefined {
  const delegate = holderOf(state, 'delegate');
  return delegate?.capabilities.includes(type) === true ? delegate : holderOf(state, 'primary');
}

/** Whether an orchestrator, or a program under one, is attached. */
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
