import { holderOf, type Place } from '../../../core/fold/executor.ts';
import type { SessionState } from '../../../core/protocol/session-state.ts';

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
