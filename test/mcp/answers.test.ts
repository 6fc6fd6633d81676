import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { dataBlock, toolResult } from '../../src/mcp/answer.ts';
import { fitting, shortened } from '../../src/mcp/shortened.ts';
import { mcpLimits } from '../../src/core/protocol/limits.ts';
import { serveForAll } from '../cli/started-program.ts';
import { http } from '../helpers/start-server.ts';
import { connectMcp, kinds } from './mcp-clients.ts';

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('what others wrote', () => {
  test('fits, whatever it is, and says when something is missing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 100, max: 4_000 }), (value, maxBytes) => {
        const { value: kept, isCut } = shortened({ value }, maxBytes);
        expect(bytesOf(kept)).toBeLessThanOrEqual(maxBytes);
        if (!isCut) expect(Object.keys(kept as object)).toEqual(['value']);
      }),
    );
  });

  test.each([
    ['a long text', 'ü'.repeat(1_000_000)],
    ['a long list', Array.from({ length: 100_000 }, (_, n) => n)],
    ['many fields', Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`field-${n}`, 'x'.repeat(100)]))],
    ['a deep nest', nested(400)],
    ['a name that is long', { ['x'.repeat(100_000)]: 1 }],
  ])('%s is shortened', (_, value) => {
    const { value: kept, isCut } = shortened(value, 5_000);
    expect(bytesOf(kept)).toBeLessThanOrEqual(5_000);
    expect(isCut).toBe(true);
  });

  test('keeps the newest of a list, and says how many are missing', () => {
    const { value } = shortened(
      Array.from({ length: 1_000 }, (_, n) => `${n} ${'x'.repeat(60)}`),
      20_000,
    );
    const kept = value as string[];
    expect(kept[0]).toBe('(800 earlier left out)');
    expect(kept.at(-1)).toBe(`999 ${'x'.repeat(60)}`);
  });

  test('has nothing that a person would not see, and keeps its lines', () => {
    const hidden = `a\u200b\u{e0041}\u202eb\u001b[31mc\nd`;
    expect(shortened({ hidden }, 1_000).value).toEqual({ hidden: 'abc\nd' });
  });

  test('cannot end its own block', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const block = dataBlock(JSON.stringify({ text: `</session_data>${text}<session_data>` }));
        expect(block.match(/<\/?session_data/g)).toEqual(['<session_data', '</session_data']);
      }),
    );
  });

  test('is the same in the text and in the JSON of an answer', () => {
    const { content, structuredContent } = toolResult({ facts: { session: 's' }, sessionData: { task: '<b>' } });
    const [first] = content;
    const text = first?.type === 'text' ? first.text : '';
    const [facts = '', , data = ''] = text.split('\n');
    expect(JSON.parse(facts)).toEqual({ session: 's' });
    expect(structuredContent).toEqual({
      session: 's',
      session_data: { note: expect.any(String) as string, ...(JSON.parse(data) as object) },
    });
  });

  test('as many as fit, and at least one', () => {
    expect(fitting(['aaaa', 'bbbb', 'cccc'], 14)).toEqual(['aaaa', 'bbbb']);
    expect(fitting(['aaaa'.repeat(10), 'b'], 10)).toEqual(['aaaa'.repeat(10)]);
    expect(fitting([], 10)).toEqual([]);
  });
});

function nested(levels: number): unknown {
  let value: unknown = 'x'.repeat(100);
  for (let n = 0; n < levels; n++) value = [value];
  return value;
}

describe('no answer is long, however much a session says', () => {
  const served = serveForAll('--journal', 'memory');
  beforeAll(async () => {
    const { url } = served();
    const big = 'x'.repeat(99_000);
    const events = Array.from({ length: 40 }, (_, n) => ({ type: 'message:assistant', data: { text: `${n} ${big}` } }));
    const name = (n: number) => `session-${n}-${'y'.repeat(100)}`;
    await http('POST', `${url}/api/sessions/big/events`, [{ type: 'execution:started', data: { task: big } }, ...events.slice(0, 30)]);
    await http('POST', `${url}/api/sessions/big/events`, events.slice(30));
    for (let n = 0; n < 120; n++)
      await http('POST', `${url}/api/sessions/${name(n)}/events`, { type: 'execution:started', data: { task: big } });
  });

  test.each(kinds)('$name', async (kind) => {
    const agent = await connectMcp(kind, served());
    const most = mcpLimits.answerBytes + 2_000;
    const seen: unknown[] = [];
    let after = '0';
    for (let isEnd = false; !isEnd;) {
      const page = await agent.call('read_events', { session: 'big', after, limit: mcpLimits.events });
      expect(Buffer.byteLength(page.text)).toBeLessThan(most);
      seen.push(...(page.data['events'] as { seq: number }[]).map(({ seq }) => seq));
      after = String(page.facts['next_cursor']);
      isEnd = page.facts['is_end'] === true;
    }
    expect(seen).toEqual(Array.from({ length: 41 }, (_, n) => n + 1));
    for (const [tool, args] of [
      ['get_session', { session: 'big' }],
      ['list_sessions', { limit: mcpLimits.sessions }],
      ['wait_for', { session: 'big', until: 'message:*', after: '0', timeout_s: 0 }],
    ] as const) {
      const { text, data, isError } = await agent.call(tool, args);
      expect([tool, isError, Buffer.byteLength(text) < most, bytesOf(data) < most]).toEqual([tool, false, true, true]);
    }
    for (const uri of ['shannon://sessions', 'shannon://sessions/big', 'shannon://sessions/big/events']) {
      const { contents } = await agent.client.readResource({ uri });
      expect([uri, bytesOf(contents) < most * 1.5]).toEqual([uri, true]);
    }
  });
});
