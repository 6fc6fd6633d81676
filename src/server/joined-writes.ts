import type { Server as SocketServer, Socket } from 'socket.io';
import { tcpSocketOf } from './tcp-socket.ts';

type Connection = Socket['conn'];

/** The part of an Engine.IO connection that hands its waiting packets to the transport. */
interface Flushing {
  flush?: () => void;
}

/**
 * Writes what a client is sent at once in one piece: an answer and the event that carries it too, the answers to a
 * burst. Engine.IO itself writes the first packet on the spot and each of the others by itself; a system call that wakes
 * the client costs more than making what it carries.
 */
export function joinWrites(io: SocketServer): void {
  const waiting = new Set<Connection>();
  const flushAll = () => {
    const connections = [...waiting];
    waiting.clear();
    for (const connection of connections) flush(connection);
  };
  // After what is running and the answers that came due with it, and before anything else.
  function flushSoon(this: Connection): void {
    if (waiting.size === 0) queueMicrotask(flushAll);
    waiting.add(this);
  }
  io.engine.on('connection', (connection: Connection) => Object.assign(connection, { flush: flushSoon }));
}

function flush(connection: Connection): void {
  const tcp = tcpSocketOf(connection);
  tcp?.cork();
  (Object.getPrototypeOf(connection) as Flushing).flush?.call(connection);
  tcp?.uncork();
}
