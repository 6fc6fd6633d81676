import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

/** The TCP socket below a WebSocket; undefined for a client that polls, and for one that is gone. */
export function tcpSocketOf(conn: Socket['conn']): TcpSocket | undefined {
  const { transport } = conn as unknown as { transport: { socket?: { _socket?: TcpSocket | null } } };
  // oxlint-disable-next-line no-underscore-dangle -- ws gives no other way to it
  return transport.socket?._socket ?? undefined;
}
