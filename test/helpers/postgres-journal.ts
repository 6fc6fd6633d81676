import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { inPostgres, postgresUrl } from './postgres-server.ts';

/** The location of a journal of its own in PostgreSQL, which goes when the test ends. */
export function newPostgresJournal(): string {
  // With a capital: PostgreSQL makes it small wherever it is not quoted.
  const schema = `Test_${randomBytes(8).toString('hex')}`;
  onTestFinished(() => inPostgres(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`));
  return `${postgresUrl}?schema=${schema}`;
}

/** The location of a journal in a database of its own, all of whose connections may be ended without others noticing. It goes when the test ends. */
export async function newPostgresDatabase(): Promise<URL> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await inPostgres(`CREATE DATABASE ${name}`);
  onTestFinished(() => inPostgres(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  return new URL(`/${name}`, postgresUrl);
}
