import type { Server as SocketServer, Socket } from 'socket.io';

// Not imported: an import touches every export of node:http, one of which loads a WebSocket client.
const { ServerResponse } = process.getBuiltinModule('node:http');

/**
 * Lets go of each connection's first request, headers and all: Engine.IO and Socket.IO hold it as long as the client
 * stays, where nobody reads it any more. A fifth of the heap that an idle client takes.
 */
export function releaseHandshakes(io: SocketServer): void {
  // For a request that becomes a WebSocket, Engine.IO's answer to it hangs on the TCP socket to the end, and the request
  // on it: only for middleware, of which this is the last.
  io.engine.use((_request: object, answer: object, next: () => void) => {
    if (!(answer instanceof ServerResponse)) Object.assign(answer, { req: null });
    next();
  });
  io.on('connection', (socket: Socket) => {
    Object.assign(socket.conn, { request: null });
    Object.assign(socket, { handshake: null });
  });
}
