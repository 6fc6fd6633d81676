import { asyncApiDocument } from '../../../core/spec/asyncapi.ts';
import { openApiDocument } from '../../../core/spec/openapi.ts';
import { version } from '../../../executable/own-program.ts';
import type { Invocation } from '../../invocation.ts';
import type { SpecDocument } from './definition.ts';

const makers: Record<SpecDocument, (version: string) => object> = { openapi: openApiDocument, asyncapi: asyncApiDocument };

/** Prints a description of the protocol. */
export async function printSpec({ args: [name], output }: Invocation<object>): Promise<void> {
  // Commander takes no other name.
  const document = makers[name as SpecDocument](version);
  for (const line of JSON.stringify(document, undefined, 2).split('\n')) output.line(line);
}
