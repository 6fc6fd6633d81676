import { Client, type ClientConfig } from 'pg';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { ChangeFeed } from '../change-feed.ts';
import type { Journal } from '../journal.ts';
import { PostgresConnection } from './postgres-connection.ts';
import { PostgresFeed } from './postgres-feed.ts';
import { PostgresKeeper } from './postgres-keeper.ts';
import { readPostgresUrl } from './postgres-location.ts';
import { PostgresReader } from './postgres-reader.ts';
import { prepareSchema } from './postgres-schema.ts';
import { PostgresWriter } from './postgres-writer.ts';
import type { BelievedHead } from './staged-group.ts';

/**
 * Opens a journal in PostgreSQL, which other servers may have open too. The password comes from PGPASSWORD or from the file that
 * PGPASSFILE names (default: ~/.pgpass).
 * @param url `postgres://[USER@]HOST[:PORT]/DATABASE[?schema=NAME]`
 * @throws ShannonDashError JOURNAL_FAILED a sentence
 */
export async function openPostgresJournal(url: string): Promise<Journal> {
  try {
    return await open(url);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const details = { reason: 'failed' };
    throw new ShannonDashError('JOURNAL_FAILED', `cannot open the journal in PostgreSQL: ${reason}`, details, { cause: error });
  }
}

async function open(url: string): Promise<Journal> {
  const { url: connectionString, schema, options, channel } = readPostgresUrl(url);
  const config: ClientConfig = { connectionString, options };
  const client = new Client({ ...config, connectionTimeoutMillis: 5_000, query_timeout: 60_000 });
  client.on('error', () => undefined);
  await client.connect();
  const identity = await prepareSchema(client, schema).finally(() => client.end());

  const heads = new Map<string, BelievedHead>();
  const changes = new ChangeFeed();
  const connection = new PostgresConnection({ config, prepare: () => Promise.resolve() });
  const writer = new PostgresWriter({ connection, epoch: identity.epoch, channel, heads, onOvertaken: (each) => changes.tell(each) });
  let keeper: PostgresKeeper | undefined;
  const feed = new PostgresFeed({
    config,
    channel,
    writer: writer.name,
    heads,
    onChanges: (each) => changes.tell(each),
    onReached: (failure) => keeper?.noteReached(failure),
    mayHaveMissed: () => writer.takeMissed(),
  });
  try {
    await writer.learnCounts();
    await feed.open();
  } catch (error) {
    await Promise.all([writer.close(), feed.close()]);
    throw error;
  }
  keeper = new PostgresKeeper({ location: url, identity, writer, reader: new PostgresReader(config), feed, changes });
  return keeper;
}
