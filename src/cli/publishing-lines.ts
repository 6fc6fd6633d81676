import { createInterface } from 'node:readline';
import { connectPublisher, type Publisher } from '../client/publisher.ts';
import { connecting } from './connecting.ts';
import { usageFailure } from './failure.ts';
import { parseObject } from './json-object.ts';
import type { Settings } from './settings.ts';

/** Events that wait for the journal before more are read: two times so many. */
const batchEvents = 1_000;

interface Line {
  type: string;
  data: Record<string, unknown>;
  id?: string | undefined;
  timestamp?: string | undefined;
}

type Batch = Promise<{ seq: number }>[];

/**
 * Publishes an event for each line of stdin, as it comes.
 * @param type of all of them; without it each line names its own
 * @throws Failure, ShannonDashError the first line that is refused; what stands before it is journalled
 */
export async function publishLines(
  settings: Settings,
  session: string,
  type: string | undefined,
): Promise<{ events: number; first_seq: number | null; last_seq: number | null }> {
  const publisher = await connecting(settings, (connect) => connectPublisher({ ...connect, session }));
  const published = { events: 0, first_seq: null as number | null, last_seq: null as number | null };
  const take = async (batch: Batch) => {
    for (const each of batch) {
      const { seq } = await each;
      published.events++;
      published.first_seq ??= seq;
      published.last_seq = seq;
    }
  };
  try {
    await readLines(publisher, type, take);
    return published;
  } finally {
    await publisher.close(0);
  }
}

async function readLines(publisher: Publisher, type: string | undefined, take: (batch: Batch) => Promise<void>): Promise<void> {
  const input = createInterface({ input: process.stdin, crlfDelay: Infinity });
  // A refusal ends the reading at once, not at the end of a batch that may take days to fill.
  publisher.onProblem(({ event }) => event !== undefined && input.close());
  let before: Batch = [];
  let batch: Batch = [];
  let number = 0;
  let fault: unknown;
  for await (const json of input) {
    number++;
    if (json.trim() === '') continue;
    try {
      const line = lineOf(json, `line ${number} of stdin`, type);
      batch.push(publisher.publish(line.type, line.data, { id: line.id, timestamp: line.timestamp }));
    } catch (error) {
      fault = error;
      break;
    }
    if (batch.length < batchEvents) continue;
    await take(before);
    before = batch;
    batch = [];
  }
  await take([...before, ...batch]);
  if (fault !== undefined) throw fault;
}

function lineOf(json: string, where: string, type: string | undefined): Line {
  const given = parseObject(json, where);
  if (type !== undefined) return { type, data: given };
  const { type: own, data = {}, id, timestamp } = given;
  if (
    typeof own === 'string' &&
    (id === undefined || typeof id === 'string') &&
    (timestamp === undefined || typeof timestamp === 'string')
  ) {
    return { type: own, data: data as Record<string, unknown>, id, timestamp };
  }
  throw usageFailure(
    `${where}: "type" is missing, or "id" or "timestamp" is not a text`,
    'each line is {"type": "skill:started", "data": {"skill_name": "lint"}}',
  );
}
