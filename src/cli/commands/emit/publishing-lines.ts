import { createInterface } from 'node:readline';
import { connectPublisher, type Publisher } from '../../../client/orchestrator/publisher.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { connecting } from '../../server-access/connecting.ts';
import { shownDuration } from '../../settings/duration.ts';
import { usageFailure } from '../../failure.ts';
import { parseObject } from '../../settings/json-object.ts';
import type { Settings } from '../../settings/settings.ts';

/** How long nothing may be journalled, while something waits to be, before `emit` gives up (default). */
const stalledMs = 30_000;
const lookMs = 100;
/** Events that wait for the journal before more are read: two times so many. */
const batchEvents = 1_000;

interface Line {
  type: string;
  data: Record<string, unknown>;
  id?: string | undefined;
  timestamp?: string | number | undefined;
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
  const stall = new Stall(publisher, settings.timeoutMs ?? stalledMs);
  try {
    await Promise.race([readLines(publisher, type, take), stall.failed]);
    return published;
  } finally {
    stall.end();
    await publisher.close(0);
  }
}

/** Gives up after a time without progress: the server is away, or refuses events for a reason that may pass, as a full disk. */
class Stall {
  /** Rejects with why nothing is journalled; never resolves. */
  readonly failed: Promise<never>;
  readonly end: () => void;

  constructor(publisher: Publisher, limitMs: number) {
    const { promise, reject } = Promise.withResolvers<never>();
    let journalled = publisher.journalled;
    let movedAt = performance.now();
    let refusal: ShannonDashError | undefined;
    const off = publisher.onProblem(({ error, event }) => event === undefined && (refusal = error));
    const timer = setInterval(() => {
      if (publisher.pending === 0 || publisher.journalled !== journalled) {
        journalled = publisher.journalled;
        movedAt = performance.now();
        refusal = undefined;
      } else if (performance.now() - movedAt >= limitMs) reject(this.#reason(publisher, limitMs, refusal));
    }, lookMs);
    this.failed = promise;
    this.failed.catch(() => undefined);
    this.end = () => {
      off();
      clearInterval(timer);
    };
  }

  #reason({ pending, connection }: Publisher, limitMs: number, refusal: ShannonDashError | undefined): ShannonDashError {
    const why = connection.status === 'live' ? refusal : new ShannonDashError('UNREACHABLE', connection.error ?? 'the server is away');
    const { code, message } = why ?? new ShannonDashError('TIMEOUT', 'the server does not acknowledge them');
    const waiting = pending === 1 ? '1 event was' : `${pending} events were`;
    return new ShannonDashError(code, `${waiting} not journalled in ${shownDuration(limitMs)}: ${message}`, undefined, { cause: why });
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
    (timestamp == null || typeof timestamp === 'string' || typeof timestamp === 'number')
  ) {
    return { type: own, data: data as Record<string, unknown>, id, timestamp: timestamp ?? undefined };
  }
  throw usageFailure(
    `${where}: "type" is missing, "id" is not a text, or "timestamp" is neither a text nor a number`,
    'each line is {"type": "skill:started", "data": {"skill_name": "lint"}}',
  );
}
