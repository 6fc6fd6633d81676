import type { Socket } from 'socket.io';
import type { EncodedDelivery } from '../sessions/watching/delivery.ts';
import type { Tuning } from './tuning.ts';

/**
 * Writes a delivery to a client: on a WebSocket in one piece, whose frames were encoded once for all clients. Engine.IO
 * hands `wsPreEncodedFrame` to ws as it is.
 * @param onTaken called when the last of it was handed to the transport
 */
export function writeDelivery(
  conn: Socket['conn'],
  { packets, frames }: EncodedDelivery,
  { tuning, onTaken }: { tuning: Pick<Tuning, 'preEncodedFrames'>; onTaken: (() => void) | undefined },
): void {
  if (tuning.preEncodedFrames && conn.transport.name === 'websocket') {
    conn.write('', { wsPreEncodedFrame: [frames] } as unknown as Parameters<typeof conn.write>[1], onTaken);
    return;
  }
  const last = packets.length - 1;
  for (const [index, packet] of packets.entries()) conn.write(packet, {}, index === last ? onTaken : undefined);
}
