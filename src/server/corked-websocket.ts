import type { Socket as TcpSocket } from 'node:net';
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';

/** Bytes that may wait in a connection before its sender is told to wait too. */
const corkedBytes = 64 * 1_024;

type Sent = (error?: Error) => void;

/**
 * A WebSocket that gathers what is sent in one go, as an acknowledgement and the event of the same content, and writes
 * it with one system call: that, and waking the reader twice, is most of what a small frame costs.
 */
class CorkedWebSocket extends WebSocket {
  override send(data: Parameters<WebSocket['send']>[0], onSent?: Sent): void;
  override send(data: Parameters<WebSocket['send']>[0], options: Parameters<WebSocket['send']>[1], onSent?: Sent): void;
  override send(data: Parameters<WebSocket['send']>[0], given: unknown, callback?: Sent): void {
    const onSent = typeof given === 'function' ? (given as Sent) : callback;
    const options = typeof given === 'object' && given !== null ? (given as Parameters<WebSocket['send']>[1]) : {};
    const { _socket: tcp } = this as unknown as { _socket: TcpSocket | null };
    if (tcp === null || this.readyState !== WebSocket.OPEN || tcp.writableLength > corkedBytes) {
      super.send(data, options, onSent);
      return;
    }
    if (tcp.writableCorked === 0) {
      tcp.cork();
      process.nextTick(() => tcp.uncork());
    }
    super.send(data, options);
    // Engine.IO hands over the next packet only once this one counts as sent.
    onSent?.();
  }
}

/** The `wsEngine` of a Socket.IO server whose connections write once for all that is sent in one go. */
export class CorkedWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super({ ...options, WebSocket: CorkedWebSocket });
  }
}
