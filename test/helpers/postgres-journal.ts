import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { inPostgres, postgresUrl } from './postgres-server.ts';

/** The location of a journal of its own in PostgreSQL, which goes when the test ends. */
export function newPostgresJournal(): string {
  const schema = `test_${randomBytes(8).toString('hex')}`;
  onTestFinished(() => inPostgres(`DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  return `${postgresUrl}?schema=${schema}`;
}
