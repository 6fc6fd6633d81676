import { createHash } from 'node:crypto';
import { defaultSchema, flawOfLocation } from '../journal-location.ts';

/** Where a journal in PostgreSQL is, without a password. */
export interface PostgresLocation {
  /** For the client of PostgreSQL. */
  url: string;
  /** The schema with its tables. */
  schema: string;
  /** What the client of PostgreSQL tells it as it connects: where the tables are. */
  options: string;
  /** By which its servers hear of one another. PostgreSQL's names have at most 63 bytes. */
  channel: string;
}

/**
 * Reads `postgres://[USER@]HOST[:PORT]/DATABASE[?schema=NAME&sslmode=…]`.
 * @throws Error a sentence without the URL, which may hold a password
 */
export function readPostgresUrl(text: string): PostgresLocation {
  const flaw = flawOfLocation(text);
  if (flaw !== undefined) throw new Error(`its location ${flaw}`);
  const url = new URL(text);
  const schema = url.searchParams.get('schema') ?? defaultSchema;
  // PostgreSQL cuts longer names off, and two journals would be one.
  if (!/^[a-z_][a-z0-9_]{0,62}$/i.test(schema) || /^pg_/i.test(schema)) {
    throw new Error(`schema=${schema.slice(0, 80)} is no name for a schema: use letters, digits and _, at most 63`);
  }
  url.searchParams.delete('schema');
  const channel = `shannon_dash_${createHash('sha256').update(schema).digest('hex').slice(0, 32)}`;
  // Without the quotes PostgreSQL would take capitals for small letters.
  return { url: url.href, schema, options: `-c search_path="${schema}"`, channel };
}
