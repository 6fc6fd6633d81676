import { z } from 'zod';
import { limits } from '../../core/protocol/limits.ts';
import { boundedText } from '../../core/text/text.ts';

/** A place in the journal of an event that is to be told. What it says is read when it is told, so it is never out of date. */
export const reference = z.object({
  session_id: boundedText(limits.idChars),
  epoch: boundedText(limits.idChars),
  seq: z.int().positive(),
  type: boundedText(limits.idChars),
  /** When it came, in milliseconds since 1970. */
  at: z.number(),
});

export interface Reference extends z.output<typeof reference> {}
