import { z } from 'zod';
import { boundedText } from '../text/text.ts';

/** The name of a token, which stands in the ledger as `by` and in events as `source`. */
export const tokenName = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@/-]{0,63}$/u, 'must be 1 to 64 letters, digits or . _ @ / - and spaces');

/** The name of a tenant, which is part of the name of its journal. */
export const tenantName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'must be 1 to 32 of a-z 0-9 -, no - at the ends');

/** A glob over session ids, `*` only. */
export const sessionGlob = boundedText(128).regex(/^[A-Za-z0-9._:*-]+$/, 'must be a session id, with * for any part of it');
