import type { Socket } from 'socket.io';
import type { Tuning } from './tuning.ts';

/**
 * Cuts the connection of a client at once, as a network that fails does: the client comes back by itself. (After Socket.IO's
 * own `disconnect` a plain client would never come back.)
 */
export function hardClose(conn: Socket['conn'], tuning: Pick<Tuning, 'hardClose'>): void {
  conn.close(true);
  if (tuning.hardClose) terminate(conn);
}

/** Destroys the TCP connection below a WebSocket without waiting for the client. */
export function terminate(conn: unknown): void {
  (conn as { transport: { socket?: { terminate?: () => void } } }).transport.socket?.terminate?.();
}
