import type { Socket } from 'node:net';
import type { Tuning } from './tuning.ts';

/** How far a TCP socket has got with what was written to it. The figure changes whenever the other side took something. */
export function tcpProgress(socket: Socket | null | undefined, tuning: Pick<Tuning, 'tcpProgress'>): number {
  if (socket === null || socket === undefined) return 0;
  const written = socket.bytesWritten - socket.writableLength;
  if (!tuning.tcpProgress) return written;
  // oxlint-disable-next-line no-underscore-dangle -- Node's own name; only the handle knows what is left of one large write
  const { writeQueueSize = 0 } = (socket as unknown as { _handle?: { writeQueueSize?: number } | null })._handle ?? {};
  return written - writeQueueSize;
}
