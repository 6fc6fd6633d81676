import type { Server as SocketServer } from 'socket.io';
import { terminate } from './hard-close.ts';
import type { Tuning } from './tuning.ts';

/** The part of an Engine.IO connection that tells what waits in it. */
interface Connection {
  close(): void;
  writeBuffer: unknown[];
  once(event: 'drain' | 'close', listener: () => void): void;
}

function connectionsOf(io: SocketServer): Connection[] {
  // Also those that have not joined Socket.IO yet, which its own list of sockets leaves out.
  return Object.values((io.engine as unknown as { clients: Record<string, Connection> }).clients);
}

/** Resolves once every client has been written what waits for it, at the latest after `graceMs`. A client that polls fetches it with its next poll. */
export async function drained(io: SocketServer, tuning: Pick<Tuning, 'waitingPackets'>, graceMs: number): Promise<void> {
  if (!tuning.waitingPackets) {
    await new Promise((resolve) => setTimeout(resolve, graceMs));
    return;
  }
  const waiting = connectionsOf(io).filter((connection) => connection.writeBuffer.length > 0);
  if (waiting.length === 0) return;
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(grace.resolve, graceMs);
  const written = waiting.map(
    (connection) =>
      new Promise<void>((resolve) => {
        connection.once('drain', resolve);
        connection.once('close', resolve);
      }),
  );
  await Promise.race([grace.promise, Promise.all(written)]);
  clearTimeout(timer);
}

/**
 * Closes every connection, as a network that fails does: a client comes back by itself as soon as a server listens again.
 * (Socket.IO's own `disconnectSockets` tells each client not to come back.) The function that it returns cuts the clients
 * that have not closed their side.
 */
export function closeConnections(io: SocketServer, tuning: Pick<Tuning, 'hardClose'>): () => void {
  const connections = connectionsOf(io);
  for (const connection of connections) connection.close();
  return () => {
    if (tuning.hardClose) for (const connection of connections) terminate(connection);
  };
}
