import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import type { Publisher } from '../../client/publisher.ts';
import { Failure, usageFailure } from '../failure.ts';
import { option, type Invocation, type Program } from '../program.ts';

interface EmitOptions {
  data?: string;
  id?: string;
}

interface Line {
  type: string;
  data: Record<string, unknown>;
  id?: string | undefined;
  timestamp?: string | undefined;
}

const flushMs = 10_000;
const batchEvents = 1_000;

/** `emit`: events from a script. */
export function registerEmit(program: Program): void {
  program.add<EmitOptions>({
    usage: 'emit <type> [lines]',
    summary: 'Publish events; done when the journal holds them',
    examples: [`emit skill:started --data '{"skill_name":"lint"}'`, 'emit - < events.ndjson', 'emit metrics:sample - < samples.ndjson'],
    options: [
      option('-s, --session <id>', 'the session (made if it is new)'),
      option('--data <json>', "the event's data; - reads it from stdin"),
      option('--id <id>', 'the same id again is the same event'),
    ],
    notes: [
      'emit -       each line of stdin is {"type", "data", "id"?, "timestamp"?}',
      'emit TYPE -  each line of stdin is the data of one event',
      '',
    ],
    run: emit,
  });
}

async function emit({ args: [type = '', lines], options, settings, output }: Invocation<EmitOptions>): Promise<void> {
  if (lines !== undefined && lines !== '-')
    throw usageFailure(`unexpected argument "${lines}"`, `data goes with --data: shannon-dash emit ${type} --data '{"key": "value"}'`);
  const isMany = type === '-' || lines === '-';
  if (isMany && (options.data !== undefined || options.id !== undefined))
    throw usageFailure('--data and --id go with one event, not with many from stdin');
  const one = isMany ? undefined : await oneEvent(type, options);
  const [{ connectPublisher }, { connecting }, { chooseSession }] = await Promise.all([
    import('../../client/publisher.ts'),
    import('../connecting.ts'),
    import('../live-sessions.ts'),
  ]);
  const session = await chooseSession(settings);
  const publisher = await connecting(settings, (connect) => connectPublisher({ ...connect, session }));
  try {
    const seqs =
      one === undefined ? await publishLines(publisher, type) : [(await published(publisher, one, settings.timeoutMs ?? flushMs)).seq];
    const [first, last] = [seqs[0], seqs.at(-1)];
    if (output.isJson)
      output.document({ ok: true, session_id: session, events: seqs.length, first_seq: first ?? null, last_seq: last ?? null });
    else if (output.isVerbose) output.note(seqs.length === 1 ? `event ${first} of ${session}` : `${seqs.length} events of ${session}`);
  } finally {
    await publisher.close(0);
  }
}

async function oneEvent(type: string, { data, id }: EmitOptions): Promise<Line> {
  const json = data === '-' ? await readAll(process.stdin) : (data ?? '{}');
  return { type, data: parseData(json, '--data'), id };
}

/** @throws ShannonDashError the refusal; TIMEOUT */
async function published(publisher: Publisher, { type, data, id }: Line, timeoutMs: number): Promise<{ seq: number }> {
  const published = publisher.publish(type, data, { id });
  // Rejects with the event's own error where there is one, else because time is over.
  await Promise.race([published, publisher.flush(timeoutMs)]);
  return published;
}

/** Publishes a line at a time as it comes; at most two batches wait for the journal. */
async function publishLines(publisher: Publisher, type: string): Promise<number[]> {
  const seqs: number[] = [];
  const take = async (batch: Promise<{ seq: number }>[]) => {
    for (const each of batch) seqs.push((await each).seq);
  };
  const input = createInterface({ input: process.stdin, crlfDelay: Infinity });
  // Refused events end the reading at once, not at the end of a batch that may take days to fill.
  publisher.onProblem(({ event }) => event !== undefined && input.close());
  let before: Promise<{ seq: number }>[] = [];
  let batch: Promise<{ seq: number }>[] = [];
  let number = 0;
  let fault: unknown;
  for await (const json of input) {
    number++;
    if (json.trim() === '') continue;
    try {
      const line = type === '-' ? parseLine(json, number) : { type, data: parseData(json, `line ${number} of stdin`) };
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
  return seqs;
}

function parseLine(json: string, number: number): Line {
  const { type, data = {}, id, timestamp } = parseData(json, `line ${number} of stdin`);
  if (
    typeof type === 'string' &&
    (id === undefined || typeof id === 'string') &&
    (timestamp === undefined || typeof timestamp === 'string')
  ) {
    return { type, data: data as Record<string, unknown>, id, timestamp };
  }
  throw usageFailure(
    `line ${number} of stdin: "type" is missing, or "id" or "timestamp" is not a text`,
    'each line is {"type": "skill:started", "data": {"skill_name": "lint"}}',
  );
}

function parseData(json: string, where: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(json);
    if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as Record<string, unknown>;
  } catch (cause) {
    throw new Failure('INVALID', `${where} is not JSON: ${(cause as Error).message}`, {
      hints: [`such as '{"skill_name": "lint"}'`],
      cause,
    });
  }
  throw usageFailure(`${where} must be a JSON object`, `such as '{"skill_name": "lint"}'`);
}
