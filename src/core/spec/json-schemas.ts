import { z } from 'zod';
import { commandBody, commandResult, commandResults, commandState, commandTable, commandTypes } from '../protocol/command.ts';
import { errorAnswer } from '../protocol/error-answer.ts';
import { decisionOption, eventTable, type KnownEventType } from '../protocol/event-table.ts';
import { eventInput, eventList, publishRequest, sessionEvent } from '../protocol/event.ts';
import { knownEventTypes } from '../protocol/known-words.ts';
import { sessionState } from '../protocol/session-state.ts';
import { commandMeanings, eventMeanings } from './meanings.ts';

/** A JSON document, or a part of one. */
export type Json = Record<string, unknown>;

type Schemas = Readonly<Record<string, z.ZodType>>;

const uri = (name: string) => `#/components/schemas/${name}`;

/** A reference to a schema by its name. */
export const ref = (name: string) => ({ $ref: uri(name) });

/** The name of the schema for the data of a type of event. */
export const dataName = (type: KnownEventType) => `data.${type.replace(':', '.')}`;

/** What every description of the protocol has: events, commands, the state, errors; and what it has of its own, as sent and as answered. */
export function componentSchemas({ inputs = {}, outputs = {} }: { inputs?: Schemas; outputs?: Schemas }): Record<string, Json> {
  const data = schemasOf('input', {
    Event: eventInput,
    DecisionOption: decisionOption,
    ...Object.fromEntries(knownEventTypes.map((type) => [dataName(type), eventTable[type]])),
    ...inputs,
  });
  for (const type of knownEventTypes) data[dataName(type)] = { ...data[dataName(type)], description: eventMeanings[type] };
  const answers = schemasOf('output', {
    SessionEvent: sessionEvent,
    SessionState: sessionState,
    CommandState: commandState,
    CommandResult: commandResult,
    CommandResults: commandResults,
    Error: errorAnswer,
    ...outputs,
  });
  const commands = schemasOf('input', commandTable);
  return { ...data, ...answers, ...Object.fromEntries(commandTypes.map((type) => [type, withType(type, commands[type] ?? {})])) };
}

/** JSON schemas by name, made from those that check; one that holds another refers to it. */
export function schemasOf(io: 'input' | 'output', schemas: Schemas): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  // Two types of events may have the same data.
  const ids = new Map<z.ZodType, string>();
  for (const [id, schema] of Object.entries(schemas)) {
    if (!ids.has(schema)) registry.add(schema, { id });
    ids.set(schema, ids.get(schema) ?? id);
  }
  const made = z.toJSONSchema(registry, { io, uri, unrepresentable: 'any', override }).schemas as Record<string, Json>;
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const own = ids.get(schema) ?? name;
      if (own !== name) return [name, ref(own)];
      const { $schema: _, $id: __, id: ___, ...json } = made[name] ?? {};
      return [name, json];
    }),
  );
}

/** Says what zod cannot say of a check that is code. */
function override({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: object }): void {
  const json = jsonSchema as Json;
  if (zodSchema === eventList) Object.assign(json, { type: 'array', items: ref('SessionEvent') });
  if (zodSchema === publishRequest.shape.events) Object.assign(json, { items: ref('Event') });
  if (zodSchema !== commandBody) return;
  for (const key of Object.keys(json)) delete json[key];
  Object.assign(json, { oneOf: commandTypes.map(ref) });
}

function withType(type: keyof typeof commandTable, schema: Json): Json {
  const common = { type: { const: type }, command_id: { type: 'string' }, timeout_ms: { type: 'number' } };
  return {
    ...schema,
    description: commandMeanings[type],
    properties: { ...common, ...(schema['properties'] as Json | undefined) },
    required: ['type', ...((schema['required'] as string[] | undefined) ?? [])],
  };
}
