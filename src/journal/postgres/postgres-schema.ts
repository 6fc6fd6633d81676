import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { newEpoch } from '../stamping.ts';
import { functions } from './postgres-functions.ts';

/** Any number: servers that open one journal at a time make its tables one after the other. */
const makingLock = 7_218_734_101;

/** What is the same for a journal as long as it is there. */
export interface JournalIdentity {
  epoch: string;
  secret: string;
}

/** The tables of version 1. @param schema as an SQL identifier, quoted */
const tables = (schema: string) => `
CREATE SCHEMA IF NOT EXISTS ${schema};
CREATE TABLE journal (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version integer NOT NULL,
  epoch text NOT NULL,
  secret text NOT NULL,
  -- How many sessions there are, and how many were ever deleted: part of the epoch of new ones.
  sessions integer NOT NULL DEFAULT 0,
  deletions integer NOT NULL DEFAULT 0
);
CREATE TABLE sessions (
  key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Without an id it is deleted, and its events go by and by; or with seq -1 it is being imported.
  session_id text COLLATE "C" UNIQUE,
  epoch text NOT NULL,
  seq bigint NOT NULL,
  -- JSON of SessionOrigin.
  origin text NOT NULL,
  updated_at text NOT NULL,
  touched_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
CREATE TABLE events (
  session bigint NOT NULL,
  seq bigint NOT NULL,
  -- UTF-8, as a text holds no NUL; absent where the id follows from epoch and seq.
  id bytea,
  type text COLLATE "C" NOT NULL,
  -- When it happened by the server's clock.
  at text COLLATE "C" NOT NULL,
  -- Length of the JSON in UTF-16 units.
  chars integer NOT NULL,
  json text NOT NULL,
  PRIMARY KEY (session, seq)
);
CREATE UNIQUE INDEX events_by_id ON events (session, id) WHERE id IS NOT NULL;
CREATE INDEX events_by_type ON events (session, type, seq);
CREATE TABLE snapshots (
  session bigint NOT NULL,
  seq bigint NOT NULL,
  version integer NOT NULL,
  json text NOT NULL,
  PRIMARY KEY (session, seq)
);
CREATE TABLE readers (reader text PRIMARY KEY);
CREATE TABLE cursors (
  reader text NOT NULL,
  session bigint NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (reader, session)
);
-- The newest commit of each process that writes: one that is sent again, as its connection was cut, is known by it.
CREATE TABLE writers (writer text PRIMARY KEY, commit bigint NOT NULL, at timestamptz NOT NULL);
CREATE TABLE servers (server text PRIMARY KEY, url text, until timestamptz NOT NULL);
`;

/** What brings the tables of version 1 to version 2, those of 2 to 3, and so on. */
const steps: readonly string[] = [
  `
  -- Retention has taken the events through this one away.
  ALTER TABLE sessions ADD COLUMN cut bigint NOT NULL DEFAULT 0;
  -- The state at the cut.
  CREATE TABLE bases (session bigint PRIMARY KEY, seq bigint NOT NULL, version integer NOT NULL, json text NOT NULL);
  `,
  `
  -- Who has written to it last, by the name that it has among the writers.
  ALTER TABLE sessions ADD COLUMN writer text;
  ALTER TABLE servers ADD COLUMN writer text;
  `,
];

/** The form of the tables; a journal of a newer one is refused. */
export const schemaVersion = 1 + steps.length;

/** Gives what the tables take on disk, in bytes. */
export const sizeStatement = `SELECT coalesce(sum(pg_total_relation_size(oid)), 0) AS size FROM pg_class
  WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind = 'r'`;

/** A sentence why the journal in a database cannot be used. */
class SchemaRefusal extends Error {}

/**
 * Makes the tables where there are none, and reads which journal it is. Every connection that works with them has the schema as its
 * search_path.
 * @throws SchemaRefusal a journal of a newer version
 */
export async function prepareSchema(client: Client, schema: string): Promise<JournalIdentity> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [makingLock]);
    const { rows: found } = await client.query<{ exists: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS exists`, [
      `${quoted(schema)}.journal`,
    ]);
    if (found[0]?.exists !== true) {
      await client.query(`${searchPath(schema)}; ${tables(quoted(schema))}`);
      await client.query('INSERT INTO journal (version, epoch, secret) VALUES (1, $1, $2)', [
        newEpoch(),
        randomBytes(32).toString('base64url'),
      ]);
    }
    await client.query(searchPath(schema));
    const { rows } = await client.query<JournalIdentity & { version: number }>('SELECT version, epoch, secret FROM journal');
    const [journal] = rows;
    if (journal === undefined) throw new SchemaRefusal(`the schema ${schema} has tables of a journal, but nothing in them`);
    if (journal.version > schemaVersion) {
      throw new SchemaRefusal(
        `it is of version ${journal.version}, and this program knows versions up to ${schemaVersion}: use a newer shannon-dash`,
      );
    }
    for (const step of steps.slice(journal.version - 1)) await client.query(step);
    if (journal.version < schemaVersion) await client.query('UPDATE journal SET version = $1', [schemaVersion]);
    await client.query(functions);
    await client.query('COMMIT');
    return { epoch: journal.epoch, secret: journal.secret };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Makes a connection find the tables of the journal by their bare names. */
function searchPath(schema: string): string {
  return `SET search_path TO ${quoted(schema)}`;
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
