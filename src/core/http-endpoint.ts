import type { z } from 'zod';
import type { Verb } from './access.ts';

/** One row of the HTTP interface. */
export interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` for each parameter. */
  path: string;
  summary: string;
  /** What a caller has to be allowed to do: a verb of the workspace. Null: anybody may ask, or, with `needsCaller`, any role. */
  verb: Verb | null;
  needsCaller?: true;
  query?: z.ZodObject;
  /** What is posted. */
  body?: z.ZodType;
  /** Types of bodies that hold a JSON document on each line. */
  bodyLines?: readonly string[];
  /** Types of bodies that are bytes. */
  bodyBytes?: readonly string[];
  /** True: the verb itself checks the body, because its errors name each event or field as the other transports do. */
  verbChecksBody?: boolean;
  /** A JSON document; absent where the answer is a text of another kind. */
  answer?: z.ZodType;
  /** Types of answers that are texts. Beside a JSON document: for callers that ask for one in `Accept`. */
  answerTexts?: readonly string[];
  /** What each status says. */
  statuses: Readonly<Record<number, string>>;
}
