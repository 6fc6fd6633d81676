import type { Server as SocketServer, Socket } from 'socket.io';
import type { Tuning } from './tuning.ts';

// Not imported: an import touches every export of node:http, one of which loads a WebSocket client.
const { ServerResponse } = process.getBuiltinModule('node:http');

/**
 * Frees the request with which each connection began. Engine.IO and Socket.IO keep it, headers and all, as long as the
 * client stays, and nobody reads it any more: it is a fifth of the heap that an idle client takes.
 */
export function releaseHandshakes(io: SocketServer, tuning: Pick<Tuning, 'handshakeRelease'>): void {
  if (!tuning.handshakeRelease) return;
  // Where the request becomes a WebSocket, Engine.IO makes a response for its middleware. The TCP socket holds that
  // response as long as it is open, and the response holds the request. This is the last middleware that needs it.
  io.engine.use((_request: object, answer: object, next: () => void) => {
    if (!(answer instanceof ServerResponse)) Object.assign(answer, { req: null });
    next();
  });
  io.on('connection', (socket: Socket) => {
    Object.assign(socket.conn, { request: null });
    Object.assign(socket, { handshake: null });
  });
}
