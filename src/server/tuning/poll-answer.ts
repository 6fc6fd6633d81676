import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import type { Tuning } from './tuning.ts';

/** The answer to a poll. */
export interface PollAnswer {
  closed: boolean;
  socket: TcpSocket | null;
  once(event: 'close', listener: () => void): unknown;
}

/** The answer to the poll that is under way; undefined on a WebSocket, and where this is switched off. */
export function pollAnswerOf(conn: Socket['conn'], tuning: Pick<Tuning, 'pollAnswer'>): PollAnswer | undefined {
  if (!tuning.pollAnswer) return undefined;
  return (conn as unknown as { transport: { res?: PollAnswer | null } }).transport.res ?? undefined;
}
