/**
 * The protocol's own words as plain data. The schemas take them from here; what has to start at once, such as the completions of a
 * shell, reads them without loading a schema library.
 */

/** The commands that an operator can send. */
export type CommandType = 'HALT' | 'RESUME' | 'ROLLBACK' | 'REDIRECT' | 'DECISION' | 'INJECT' | 'STOP';

export const commandTypes: CommandType[] = ['HALT', 'RESUME', 'ROLLBACK', 'REDIRECT', 'DECISION', 'INJECT', 'STOP'];

/**
 * created -> running -> halting -> halted -> running ... -> completed | failed. `lost`: no orchestrator is attached
 * and no event came for a while; its next event brings it back.
 */
export const sessionStatuses = ['created', 'running', 'halting', 'halted', 'lost', 'completed', 'failed'] as const;

export type SessionStatus = (typeof sessionStatuses)[number];

/** Live: neither ended nor lost, so that a command can still reach it. */
export function isLive(status: SessionStatus): boolean {
  return !isEnded(status) && status !== 'lost';
}

/** Ended: its program has said so. Only a new start brings it back. */
export function isEnded(status: SessionStatus): boolean {
  return status === 'completed' || status === 'failed';
}

/** The event types whose `data` has a schema. Others are passed on as they come. */
export const knownEventTypes = [
  'execution:started',
  'execution:progress',
  'execution:completed',
  'execution:failed',
  'execution:lost',
  'execution:halting',
  'execution:halted',
  'execution:resumed',
  'execution:rollback',
  'execution:redirect',
  'skill:started',
  'skill:progress',
  'skill:completed',
  'skill:failed',
  'skill:injected',
  'file:created',
  'file:modified',
  'file:deleted',
  'file:changed',
  'decision:point',
  'decision:made',
  'validation:started',
  'validation:output',
  'validation:result',
  'agent:spawned',
  'agent:progress',
  'agent:completed',
  'agent:waiting',
  'message:user',
  'message:assistant',
  'tool:started',
  'tool:completed',
  'tool:failed',
  'usage:reported',
  'checkpoint:created',
  'checkpoint:saved',
  'checkpoint:failed',
  'process:output',
  'process:screen',
  'run:files-let-go',
  'run:marked',
  'journal:lost',
  'command:queued',
  'command:delivered',
  'command:applied',
  'command:failed',
  'command:rejected',
  'command:expired',
  'command:cancelled',
  'orchestrator:attached',
  'orchestrator:detached',
] as const;

export type KnownEventType = (typeof knownEventTypes)[number];

/** Types that only the server writes. A client may not publish them, so that it cannot forge a command's steps or an orchestrator. */
export function isServerOnly(type: string): boolean {
  return type.startsWith('command:') || type.startsWith('orchestrator:') || type.startsWith('journal:') || type === 'execution:lost';
}
