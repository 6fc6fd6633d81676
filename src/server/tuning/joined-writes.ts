import type { Server as SocketServer, Socket } from 'socket.io';
import { tcpSocketOf } from './tcp-socket.ts';
import type { Tuning } from './tuning.ts';

type Connection = Socket['conn'];

/** The part of an Engine.IO connection that hands its waiting packets to the transport. */
interface Flushing {
  writeBuffer: unknown[];
  flush: () => void;
}

/** The connection whose packets are held back now, to be written together. */
let held: Connection | undefined;

/**
 * Writes the packets that wait for a client with one system call. Engine.IO makes one call for every packet; a call that wakes
 * the client costs more than to encode the packet.
 */
export function joinWrites(io: SocketServer, tuning: Tuning): void {
  if (!tuning.joinedWrites) return;
  const flush = tuning.tcpSocket ? flushCorked : flushHeld;
  io.engine.on('connection', (connection: Connection) => Object.assign(connection, { flush }));
}

/** Writes what `send` sends to a client in one piece: an answer, and the event that carries it too. */
export function sendJoined(connection: Connection, tuning: Pick<Tuning, 'joinedWrites'>, send: () => void): void {
  if (!tuning.joinedWrites) {
    send();
    return;
  }
  held = connection;
  try {
    send();
  } finally {
    held = undefined;
  }
  (connection as unknown as Flushing).flush();
}

function flushHeld(this: Connection): void {
  if (this !== held) (Object.getPrototypeOf(this) as Flushing).flush.call(this);
}

function flushCorked(this: Connection): void {
  if (this === held) return;
  const connection = this as unknown as Flushing;
  const tcp = connection.writeBuffer.length > 1 ? tcpSocketOf(this, { tcpSocket: true }) : undefined;
  tcp?.cork();
  (Object.getPrototypeOf(connection) as Flushing).flush.call(connection);
  tcp?.uncork();
}
