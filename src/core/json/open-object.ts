import { z } from 'zod';

/**
 * An object of an answer or a message. The named fields are checked; any other field is kept and passed on, so that a server
 * can tell more than this client knows of. Its type has the named fields only: a misspelt one does not compile.
 */
export function openObject<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape> {
  const schema: unknown = z.looseObject(shape);
  return schema as z.ZodObject<Shape>;
}

/** A text that is usually one of the known words. A newer server may have others, so any text is accepted. */
export function knownWord<Word extends string>(words: readonly Word[]): z.ZodType<Word, Word> {
  const schema = z.custom<Word>((value) => typeof value === 'string', 'must be a text');
  return schema.meta({ type: 'string', enum: [...words] });
}
