import { ServerResponse } from 'node:http';
import type { Server as SocketServer, Socket } from 'socket.io';

/**
 * Lets go of each connection's first request, headers and all, once the connection stands: Engine.IO and Socket.IO hold
 * it as long as the client stays, where nobody reads it any more. A fifth of the heap that an idle client takes.
 */
export function forgetFirstRequests(io: SocketServer): void {
  // For a request that became a WebSocket, Engine.IO's answer to it hangs on the TCP socket to the end, and the request on it.
  const upgrades = new WeakMap<object, { req: unknown }>();
  io.engine.use((request: object, answer: object, next: () => void) => {
    if (!(answer instanceof ServerResponse)) upgrades.set(request, answer as { req: unknown });
    next();
  });
  io.on('connection', (socket: Socket) => {
    const { conn } = socket as { conn: { request: object } };
    const upgrade = upgrades.get(conn.request);
    if (upgrade !== undefined) upgrade.req = null;
    Object.assign(conn, { request: null });
    Object.assign(socket, { handshake: null });
  });
}
