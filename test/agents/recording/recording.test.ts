import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { RunnableAgent } from '../agents/installed-agent.ts';
import { eventOf, recorded } from './recording.ts';
import { scenes } from './scenes.ts';

/** `RECORD=1 npm run test:agents -- recording` writes the files anew; otherwise they are compared with what the agents say. */
const isToWrite = process.env['RECORD'] === '1';

/** What is said at the same time comes in any order. */
const sorted = (payloads: readonly Record<string, unknown>[]) => payloads.map((each) => `${eventOf(each)} ${formOf(each)}`).toSorted();

/** The fields of a value, and of what kind each is. */
function formOf(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(formOf))].toSorted().join()}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const fields = Object.entries(value).map(([name, each]) => `${name}:${formOf(each)}`);
  return `{${fields.toSorted().join()}}`;
}

describe.each(Object.entries(scenes))('%s', (agent, own) => {
  test.each(Object.entries(own))('%s', async (name, scene) => {
    const said = await recorded(agent as RunnableAgent, scene);
    const file = fileURLToPath(new URL(`../../adapters/recorded/${agent}/${name}.json`, import.meta.url));
    if (isToWrite) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${JSON.stringify(said, undefined, 2)}\n`);
    }
    expect(sorted(said)).toEqual(sorted(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[]));
  });
});
