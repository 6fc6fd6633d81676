import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import type { Tuning } from './tuning.ts';

/** The TCP socket below a WebSocket; undefined for a client that polls, for one that is gone, and where this is switched off. */
export function tcpSocketOf(conn: Socket['conn'], tuning: Pick<Tuning, 'tcpSocket'>): TcpSocket | undefined {
  if (!tuning.tcpSocket) return undefined;
  const { transport } = conn as unknown as { transport: { socket?: { _socket?: TcpSocket | null } } };
  // oxlint-disable-next-line no-underscore-dangle -- ws gives no other way to it
  return transport.socket?._socket ?? undefined;
}
