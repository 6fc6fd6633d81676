import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `emit`. */
export interface EmitOptions {
  data?: string;
  id?: string;
}

/** `emit`: events from a script. */
export const emitDefinition: CommandDefinition = {
  name: 'emit',
  summary: 'Publish events; done when the journal holds them',
  arguments: [
    { name: 'type', kind: 'event-type' },
    { name: 'lines', kind: 'text', isOptional: true },
  ],
  examples: [`emit skill:started --data '{"skill_name":"lint"}'`, 'emit - < events.ndjson', 'emit metrics:sample - < samples.ndjson'],
  options: [
    { flags: '-s, --session <id>', summary: 'the session (made if it is new)', kind: 'session' },
    { flags: '--data <json>', summary: "the event's data; - reads it from stdin", kind: 'json' },
    { flags: '--id <id>', summary: 'the same id again is the same event', kind: 'text' },
  ],
  notes: [
    '',
    'emit -       each line of stdin is {"type", "data", "id"?, "timestamp"?}',
    'emit TYPE -  each line of stdin is the data of one event',
    'Both end, with the reason, once nothing was journalled for --timeout (30s).',
  ],
};
