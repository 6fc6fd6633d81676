import type { Socket } from 'node:net';
import type { Tuning } from './tuning.ts';

/** Bytes of what was written to a TCP socket that the kernel has taken. Without the tuning, a figure that changes when it has taken all of a write. */
export function tcpProgress(socket: Socket | null | undefined, tuning: Pick<Tuning, 'tcpProgress'>): number {
  if (socket === null || socket === undefined) return 0;
  // oxlint-disable-next-line no-underscore-dangle -- Node's own name; only the handle knows what is left of a write
  const handle = (socket as unknown as { _handle?: { bytesWritten?: number; writeQueueSize?: number } | null })._handle;
  if (!tuning.tcpProgress || handle?.bytesWritten === undefined) return socket.bytesWritten - socket.writableLength;
  return handle.bytesWritten - (handle.writeQueueSize ?? 0);
}
