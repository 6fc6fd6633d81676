import type { FastifyInstance } from 'fastify';
import type { Server as SocketServer } from 'socket.io';
import { closeConnections, drained } from './tuning/client-drain.ts';
import type { Opened } from './opened.ts';
import type { Tuning } from './tuning/tuning.ts';

/** After this long, the server cuts the clients that have not closed their connections. */
const graceMs = 500;

interface RunningServer {
  io: SocketServer;
  app: FastifyInstance;
  opened: Opened;
  tuning: Tuning;
}

/** Tells every client that the server stops, lets what is on its way to them leave, and closes all that was opened. */
export async function shutDown({ io, app, opened, tuning }: RunningServer): Promise<void> {
  io.emit('server:shutdown', { timestamp: new Date().toISOString(), reason: 'the server is stopping' });
  // The farewell and the answers under way leave with the packets that are written in this turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  await drained(io, tuning, graceMs);
  const cutSockets = closeConnections(io, tuning);
  const cut = setTimeout(() => {
    app.server.closeAllConnections();
    cutSockets();
  }, graceMs);
  await opened.close().finally(() => clearTimeout(cut));
}
