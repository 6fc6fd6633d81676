import { ShannonDashError } from '../core/protocol/errors.ts';
import type { HistoryPiece, ServerCalls } from './server-calls.ts';

/** A place in a history. Without an epoch: in that of today. */
interface Place {
  epoch?: string | undefined;
  seq: number;
}

/** A place as one text, which a model hands back as it is. */
export function cursorText(epoch: string, seq: number): string {
  return `${epoch}:${seq}`;
}

/** @throws ShannonDashError INVALID */
export function placeOf(cursor: string): Place {
  const [, epoch, seq] = /^(?:(.{1,128}):)?(\d{1,15})$/.exec(cursor) ?? [];
  if (seq === undefined) {
    throw new ShannonDashError('INVALID', 'after must be a cursor of an earlier answer, or the number of an event (0: from the start)');
  }
  return { epoch, seq: Number(seq) };
}

/** Events after a cursor. `gap`: what came next is gone, so these begin with the first event that is left, or that of another history. */
export async function eventsAfter(
  calls: ServerCalls,
  session: string,
  { after, ...range }: { after: Place; limit: number; types: readonly string[] },
): Promise<HistoryPiece & { gap: boolean }> {
  const piece = await calls.history(session, { ...range, after: after.seq });
  const isTaken = after.seq < (piece.first_available ?? 1) - 1;
  // A recording that was imported has the epoch of the session that it was made of, which may have gone further.
  const isBeyond = piece.next < after.seq;
  if (!isBeyond && (after.epoch === undefined || after.epoch === piece.epoch)) return { ...piece, gap: isTaken };
  return { ...(await calls.history(session, { ...range, after: 0 })), gap: true };
}
