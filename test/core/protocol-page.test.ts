import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { endpointOf, httpApi, type EndpointName } from '../../src/core/http-api.ts';
import { commandTable } from '../../src/core/protocol/command.ts';
import { errorTable, localErrorTable } from '../../src/core/protocol/errors.ts';
import { eventTable, isServerOnly } from '../../src/core/protocol/event-table.ts';
import { answers, serverMessages } from '../../src/core/protocol/messages.ts';
import { sessionStatuses } from '../../src/core/protocol/session-state.ts';

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The rows of the table below a heading, cell by cell. */
function tableBelow(heading: string): string[][] {
  const from = page.indexOf(`${heading}\n`);
  if (from === -1) throw new Error(`the page has no ${heading}`);
  const lines = page.slice(from + heading.length).split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'));
  const rows = lines.slice(start + 2, end === -1 ? undefined : end);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const names = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const firstNames = (heading: string) => tableBelow(heading).map(([first]) => names(first)[0]);

/** The fields of an object's schema, by whether they may be absent. */
function fieldsOf(schema: z.ZodType): { required: string[]; optional: string[] } {
  const { shape } = schema as unknown as { shape: Record<string, z.ZodType> };
  const isOptional = (field: string) => shape[field]?.safeParse(undefined).success === true;
  const fields = Object.keys(shape);
  return { required: fields.filter((field) => !isOptional(field)), optional: fields.filter(isOptional) };
}

describe('the page of the protocol', () => {
  test.each(Object.entries(eventTable))('has a row for %s with its fields', (type, schema) => {
    const row = tableBelow('## Event types').find(([first]) => first === `\`${type}\``);
    expect({ required: names(row?.[1]), optional: names(row?.[2]) }).toEqual(fieldsOf(schema));
    expect(row?.[3]?.startsWith('Server: ')).toBe(isServerOnly(type));
  });

  test('has no row for a type that is not known', () => {
    expect(firstNames('## Event types')).toEqual(Object.keys(eventTable));
  });

  test('has every command with its fields', () => {
    const rows = tableBelow('## Commands').map(([first, fields]) => [names(first)[0], names(fields)]);
    expect(rows).toEqual(
      Object.entries(commandTable).map(([type, schema]) => {
        // ROLLBACK fills in its default after the check of its fields.
        const fields = 'in' in schema.def ? (schema.def.in as z.ZodType) : schema;
        const { required, optional } = fieldsOf(fields);
        return [type, expect.toSatisfy((told: string[]) => told.toSorted().join() === [...required, ...optional].toSorted().join())];
      }),
    );
  });

  test('has every request and every message of the server', () => {
    expect(firstNames('### What a client sends')).toEqual(Object.keys(answers));
    expect(firstNames('### What the server sends')).toEqual(Object.keys(serverMessages));
  });

  test('has every field of the messages of the server', () => {
    for (const [first = '', fields = ''] of tableBelow('### What the server sends')) {
      const name = names(first)[0] as keyof typeof serverMessages;
      if (name === 'subscribed') continue;
      const told = /\{([^}]*)\}/.exec(fields)?.[1]?.split(', ');
      expect([name, told]).toEqual([name, Object.keys(serverMessages[name].shape)]);
    }
  });

  test('has every route with its query', () => {
    const rows = tableBelow('## HTTP').map(([first, query]) => [names(first)[0], names(query)]);
    const expected = (Object.keys(httpApi) as EndpointName[]).map((name) => {
      const { method, path, query } = endpointOf(name);
      return [`${method} ${path}`, Object.keys(query?.shape ?? {})];
    });
    expect(rows).toEqual(expected);
  });

  test('has every error with its status, and those of the client', () => {
    expect(tableBelow('## Errors').map(([first, status]) => [names(first)[0], Number(status)])).toEqual(
      Object.entries(errorTable).map(([code, { status }]) => [code, status]),
    );
    for (const code of Object.keys(localErrorTable)) expect(page).toContain(`\`${code}\``);
  });

  test('has every status of a session', () => {
    expect(firstNames('## States of a session')).toEqual([...sessionStatuses]);
  });
});
