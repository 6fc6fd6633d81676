import { text as readAll } from 'node:stream/consumers';
import { todaysSpelling } from '../../../core/protocol/event-spellings.ts';
import { knownEventTypes } from '../../../core/protocol/known-words.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { chooseSession } from '../../server-access/live-sessions.ts';
import { publishOne } from '../../server-access/publishing.ts';
import { parseObject } from '../../settings/json-object.ts';
import { nearest } from '../../../core/text/nearest.ts';
import type { Output } from '../../terminal/output.ts';
import type { EmitOptions } from './definition.ts';

/** Publishes one event, or one for each line of stdin. */
export async function emit({ args: [type = '', lines], options, settings, output }: Invocation<EmitOptions>): Promise<void> {
  if (lines !== undefined && lines !== '-') {
    throw usageFailure(`unexpected argument "${lines}"`, `data goes with --data: shannon-dash emit ${type} --data '{"key": "value"}'`);
  }
  const isMany = type === '-' || lines === '-';
  if (isMany && (options.data !== undefined || options.id !== undefined)) {
    throw usageFailure('--data and --id go with one event, not with many from stdin');
  }
  let published: { events: number; first_seq: number | null; last_seq: number | null };
  let session: string;
  if (isMany) {
    const { publishLines } = await import('./publishing-lines.ts');
    session = await chooseSession(settings);
    published = await publishLines(settings, session, type === '-' ? undefined : type);
  } else {
    tellMisspelt(type, output);
    const data = parseObject(options.data === '-' ? await readAll(process.stdin) : (options.data ?? '{}'), '--data');
    session = await chooseSession(settings);
    const { first_seq, last_seq } = await publishOne(settings, session, { type, data, id: options.id }, output);
    published = { events: 1, first_seq, last_seq };
  }
  const { events, last_seq } = published;
  if (output.isJson) output.document({ ok: true, session_id: session, ...published });
  else if (output.isVerbose) output.note(events === 1 ? `event ${last_seq} of ${session}` : `${events} events of ${session}`);
}

/** A type that is nearly a known one is taken, and told: what it was meant to do, it does not do. */
function tellMisspelt(type: string, output: Output): void {
  const { type: today } = todaysSpelling({ type, data: {} });
  if ((knownEventTypes as readonly string[]).includes(today)) return;
  const near = nearest(type, knownEventTypes);
  if (near !== undefined) output.warn(`"${type}" is no known type and changes nothing in the session; did you mean ${near}?`);
}
