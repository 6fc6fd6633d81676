import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { reasonOf } from '../../src/client/connection/connect-failure.ts';
import { ShannonDashError, type ErrorCode } from '../../src/core/protocol/errors.ts';
import { logLines } from '../../src/view/log/log-lines.ts';
import { eventsOf } from '../core/session-events.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';

const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', '__defineGetter__'];

describe('row 10: an event type named constructor:x', () => {
  test('and others named after what every object has are plain types for every view', () => {
    const types = ['constructor:x', 'valueof:x', 'execution:constructor', 'file:valueof', 'decision:constructor', 'command:constructor'];
    for (const event of eventsOf(types.map((type) => [type, { message: 'm' }]))) {
      const [line] = logLines(event, 1);
      expect(line?.text, event.type).not.toContain('native code');
      expect(line?.group.length, event.type).toBeLessThanOrEqual(20);
    }
    expect(logLines(eventsOf([['constructor:x']])[0]!, 1)[0]?.group).toBe('constructor');
  });

  test('or a code of an error, or a reason, is a plain text for the program', () => {
    for (const name of names) {
      expect(exitCodeOf(new ShannonDashError(name as ErrorCode, 'm'))).toBe(1);
      expect(reasonOf(new Error(name))).toBe(name);
      expect(reasonOf(Object.assign(new Error('m'), { code: name }))).toBe(name);
    }
  });

  test('or a session or field is kept as it came', async () => {
    const server = await startServer();
    const data = JSON.parse('{"__proto__":{"a":1},"constructor":2,"nested":{"__proto__":3}}') as object;
    for (const session of ['constructor', 'toString', 'hasOwnProperty']) {
      await publish(server, session, { type: 'constructor:x', data });
      const { body } = await http<{ events: { data: unknown }[] }>('GET', `${server.url}/api/sessions/${session}/events`);
      expect(JSON.stringify(body.events[0]?.data)).toBe(JSON.stringify(data));
      expect((await http('GET', `${server.url}/api/sessions/${session}`)).body).toMatchObject({ session_id: session, seq: 1 });
    }
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  test('no table of the sources that a name from outside may index is a plain object', () => {
    const found = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .flatMap((file) =>
        [...readFileSync(join('src', file), 'utf8').matchAll(/^const \w+: (?:Partial<)?(?:Readonly<)?Record<string, .*/gm)].map(
          ([line]) => `${file}: ${line}`,
        ),
      );
    expect(found, 'use a Map').toEqual([]);
  });
});
