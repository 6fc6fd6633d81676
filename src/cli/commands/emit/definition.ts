import { text as readAll } from 'node:stream/consumers';
import { usageFailure } from '../../failure.ts';
import { option, type Invocation, type Program } from '../../program.ts';

interface EmitOptions {
  data?: string;
  id?: string;
}

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
      '',
      'emit -       each line of stdin is {"type", "data", "id"?, "timestamp"?}',
      'emit TYPE -  each line of stdin is the data of one event',
      'Both end, with the reason, once nothing was journalled for --timeout (30s).',
    ],
    run: emit,
  });
}

async function emit({ args: [type = '', lines], options, settings, output }: Invocation<EmitOptions>): Promise<void> {
  if (lines !== undefined && lines !== '-') {
    throw usageFailure(`unexpected argument "${lines}"`, `data goes with --data: shannon-dash emit ${type} --data '{"key": "value"}'`);
  }
  const isMany = type === '-' || lines === '-';
  if (isMany && (options.data !== undefined || options.id !== undefined)) {
    throw usageFailure('--data and --id go with one event, not with many from stdin');
  }
  const [{ chooseSession }, { parseObject }] = await Promise.all([
    import('../../server-access/live-sessions.ts'),
    import('../../settings/json-object.ts'),
  ]);
  let published: { events: number; first_seq: number | null; last_seq: number | null };
  let session: string;
  if (isMany) {
    const { publishLines } = await import('./publishing-lines.ts');
    session = await chooseSession(settings);
    published = await publishLines(settings, session, type === '-' ? undefined : type);
  } else {
    const { publishOne } = await import('../../server-access/publishing.ts');
    const data = parseObject(options.data === '-' ? await readAll(process.stdin) : (options.data ?? '{}'), '--data');
    session = await chooseSession(settings);
    const { first_seq, last_seq } = await publishOne(settings, session, { type, data, id: options.id });
    published = { events: 1, first_seq, last_seq };
  }
  const { events, last_seq } = published;
  if (output.isJson) output.document({ ok: true, session_id: session, ...published });
  else if (output.isVerbose) output.note(events === 1 ? `event ${last_seq} of ${session}` : `${events} events of ${session}`);
}
