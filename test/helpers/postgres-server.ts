import { Client } from 'pg';

/** The PostgreSQL of the machine, or the one that the environment names. */
export const postgresUrl = process.env['SHANNON_DASH_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** Runs one statement in it. */
export async function inPostgres(text: string): Promise<void> {
  const client = new Client({ connectionString: postgresUrl, connectionTimeoutMillis: 2_000 });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

/** Whether one answers there: where none does, what needs it is skipped. */
export const hasPostgres = await inPostgres('SELECT 1').then(
  () => true,
  () => false,
);
