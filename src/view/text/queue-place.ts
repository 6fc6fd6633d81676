import { offeredTo } from '../../core/fold/executor.ts';
import type { CommandState, SessionState } from '../../core/protocol/session-state.ts';
import { shown } from './shown-text.ts';

/**
 * Where a command stands in the queue of its session, and for whom it waits: `2 of 3, waits for run-7f3a`. Undefined for one that
 * was delivered or has ended.
 */
export function queuePlace(
  { commands, orchestrator, delegate }: Pick<SessionState, 'commands' | 'orchestrator' | 'delegate'>,
  { command_id, command_type, offered_to, for_instance }: CommandState,
): string | undefined {
  const queue = commands.filter(({ status }) => status === 'queued');
  const at = queue.findIndex((each) => each.command_id === command_id);
  if (at === -1) return undefined;
  const attached = offeredTo({ orchestrator, delegate }, command_type);
  const gone = offered_to ?? for_instance;
  const whom =
    attached !== null ? `${shown(attached, 60)} to take it` : gone !== null ? `${shown(gone, 60)} to come back` : 'a program to connect';
  return `${at + 1} of ${queue.length}, waits for ${whom}`;
}
