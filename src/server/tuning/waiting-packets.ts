import type { Socket } from 'socket.io';
import type { Tuning } from './tuning.ts';

const none = { count: 0, chars: 0 } as const;

/** How many packets wait until a client takes them, and their characters; none while it takes what it is sent, and where this is switched off. */
export function waitingPackets(conn: Socket['conn'], tuning: Pick<Tuning, 'waitingPackets'>): { count: number; chars: number } {
  const { transport, writeBuffer } = conn as unknown as { transport: { writable: boolean }; writeBuffer: { data?: string }[] };
  if (!tuning.waitingPackets || transport.writable) return none;
  return { count: writeBuffer.length, chars: writeBuffer.reduce((sum, packet) => sum + (packet.data?.length ?? 0), 0) };
}
