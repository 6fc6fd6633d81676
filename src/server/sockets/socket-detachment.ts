import type { Detachment } from '../commands/attachment/detachment.ts';

/** By what Socket.IO says of the end of a connection. */
const byDisconnect: ReadonlyMap<string, Detachment> = new Map<string, Detachment>([
  ['client namespace disconnect', { code: 'left', reason: 'it left' }],
  ['ping timeout', { code: 'no_answer', reason: 'it did not answer any more' }],
  ['forced close', { code: 'closed_by_server', reason: 'the server closed its connection' }],
  ['server namespace disconnect', { code: 'closed_by_server', reason: 'the server closed its connection' }],
  ['server shutting down', { code: 'closed_by_server', reason: 'the server stopped' }],
]);

/** @param disconnect Socket.IO's own word for the end of the connection */
export function detachmentOf(disconnect: string): Detachment {
  return byDisconnect.get(disconnect) ?? { code: 'connection_lost', reason: 'the connection was lost' };
}
