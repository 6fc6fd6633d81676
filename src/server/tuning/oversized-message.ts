import type { Socket } from 'socket.io';
import type { Tuning } from './tuning.ts';

/** How ws names a message above the limit, for which it closes the connection with 1009 (RFC 6455, 7.4.1). */
const tooLarge = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

/** The part of a WebSocket that tells why it ends. Engine.IO passes the message of an error on, and not its code. */
interface ErrorSource {
  prependListener(event: 'error', listener: (error: { code?: unknown }) => void): unknown;
}

/** Calls back when a client is cut for a message that is larger than the server takes, just before it is. */
export function onOversizedMessage({ conn }: Socket, tuning: Pick<Tuning, 'oversizedMessage'>, tell: () => void): void {
  if (!tuning.oversizedMessage) return;
  const listen = ({ socket }: { socket?: ErrorSource }) =>
    socket?.prependListener('error', ({ code }) => {
      if (code === tooLarge) tell();
    });
  listen(conn.transport as { socket?: ErrorSource });
  conn.on('upgrade', (transport: unknown) => listen(transport as { socket?: ErrorSource }));
}
