import type { Server as SocketServer, Socket } from 'socket.io';
import { tcpSocketOf } from './tcp-socket.ts';

type Connection = Socket['conn'];

/** The part of an Engine.IO connection that hands its waiting packets to the transport. */
interface Flushing {
  writeBuffer: unknown[];
  flush: () => void;
}

/** Whose packets wait for each other now. */
let held: Connection | undefined;

/**
 * Writes what waits for a client in one piece. Engine.IO writes every packet by itself; a system call that wakes the client
 * costs more than making what it carries.
 */
export function joinWrites(io: SocketServer): void {
  io.engine.on('connection', (connection: Connection) => Object.assign(connection, { flush }));
}

/** Writes what a client is sent by `send` in one piece: an answer and the event that carries it too. */
export function sendJoined(connection: Connection, send: () => void): void {
  held = connection;
  try {
    send();
  } finally {
    held = undefined;
  }
  flush.call(connection);
}

function flush(this: Connection): void {
  if (this === held) return;
  const connection = this as unknown as Flushing;
  const tcp = connection.writeBuffer.length > 1 ? tcpSocketOf(this) : undefined;
  tcp?.cork();
  (Object.getPrototypeOf(connection) as Flushing).flush.call(connection);
  tcp?.uncork();
}
