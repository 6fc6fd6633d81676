import type { CommandType } from '../protocol/known-words.ts';
import type { DelegateState, Lease, OrchestratorState, SessionState } from '../protocol/session-state.ts';

/** The two places at a session: an orchestrator's, and that of a program under it (`run` and its child). */
export type Place = 'primary' | 'delegate';

type Attachments = Pick<SessionState, 'orchestrator' | 'delegate'>;

/** The attachment at a place, as the journal tells it; undefined when there is none. */
export function holderOf({ orchestrator, delegate }: Attachments, place: Place): OrchestratorState | DelegateState | undefined {
  if (place === 'delegate') return delegate ?? undefined;
  return orchestrator?.attached === true ? orchestrator : undefined;
}

/** The attachment that carries out commands of this type: the delegate for its capabilities, the orchestrator for the rest. */
export function executorOf(attachments: Attachments, type: CommandType): { instance_id: string | null; lease: Lease } | undefined {
  const delegate = holderOf(attachments, 'delegate');
  return delegate?.capabilities.includes(type) === true ? delegate : holderOf(attachments, 'primary');
}

/** The instance that gets a command of this type now; null where none is attached. */
export function offeredTo(attachments: Attachments, type: CommandType): string | null {
  const executor = executorOf(attachments, type);
  return executor === undefined ? null : (executor.instance_id ?? 'unnamed');
}
