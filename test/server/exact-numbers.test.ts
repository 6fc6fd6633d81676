import { expect, test } from 'vitest';
import { connectPublisher } from '../../src/client/orchestrator/publisher.ts';
import { connectRaw } from '../helpers/raw-websocket.ts';
import { http, startServer } from '../helpers/start-server.ts';

const big = '12345678901234567890';
const refusal = (path: string, number: string) => `${path}: ${number} cannot be kept as a number without changing it; send it as a text`;
const ndjson = { 'content-type': 'application/x-ndjson' };

test('over HTTP a number that would be changed is refused with its field; others, and a byte order mark, do no harm', async () => {
  const server = await startServer();
  const events = `${server.url}/api/sessions/s/events`;
  const refused: [string, string, Record<string, string>, string][] = [
    [events, `{"type":"a:b","data":{"id":${big}}}`, {}, refusal('data.id', big)],
    [events, `[{"type":"a:b"},{"type":"a:b","data":{"a":[1,1e400]}}]`, {}, refusal('[1].data.a[1]', '1e400')],
    [events, `{"type":"a:b"}\n{"type":"a:b","data":{"a":-1e999}}\n`, ndjson, `Line 2: ${refusal('data.a', '-1e999')}`],
    [
      `${server.url}/api/sessions/s/commands`,
      `{"type":"INJECT","skill_name":"x","parameters":{"n":${big}}}`,
      {},
      refusal('parameters.n', big),
    ],
    [`${server.url}/api/sessions`, `{"session_id":"n","metadata":{"n":${big}}}`, {}, refusal('metadata.n', big)],
  ];
  for (const [url, body, headers, error] of refused) {
    expect(await http('POST', url, body, headers)).toMatchObject({ status: 400, body: { code: 'INVALID', error } });
  }
  const kept = '{"n":9007199254740991,"f":0.1,"e":1e300,"t":"12345678901234567890","o":{"__proto__":1}}';
  expect((await http('POST', events, `\ufeff{"type":"a:b","data":${kept}}`)).status).toBe(200);
  expect((await http('POST', events, `\ufeff{"type":"a:b","data":${kept}}\r\n`, ndjson)).status).toBe(200);
  const text = await (await fetch(events)).text();
  const wanted = `"data":${JSON.stringify(JSON.parse(kept))}`;
  expect(text.split(wanted)).toHaveLength(3);
});

test('over Socket.IO it is refused with its field; in a cli_event, which is never refused, it becomes a text of the same digits', async () => {
  const server = await startServer();
  const raw = await connectRaw(server.port);
  let asked = 0;
  const ask = async (message: string): Promise<Record<string, unknown>> => {
    raw.send(`42${++asked}${message}`);
    const packet = await raw.next(`43${asked}[`);
    return (JSON.parse(packet.slice(packet.indexOf('['))) as Record<string, unknown>[])[0] ?? {};
  };
  expect(await ask(`["publish",{"session_id":"s","events":[{"type":"a:b","data":{"a":{"n":${big}}}}]}]`)).toMatchObject({
    code: 'INVALID',
    error: refusal('events[0].data.a.n', big),
  });
  expect(await ask(`["command",{"session_id":"s","type":"HALT","timeout_ms":1e400}]`)).toMatchObject({
    code: 'INVALID',
    error: refusal('timeout_ms', '1e400'),
  });
  expect(await ask(`["cli_event",{"session_id":"s","event_type":"a:b","data":{"n":${big},"m":[1e400,5]}}]`)).toEqual({ success: true });
  const { body } = await http<{ events: { data: unknown }[] }>('GET', `${server.url}/api/sessions/s/events`);
  expect(body.events.map(({ data }) => data)).toEqual([{ n: big, m: ['1e400', 5] }]);
});

test('the SDK refuses what JSON has no number for', async () => {
  const server = await startServer();
  const publisher = await connectPublisher({ url: server.url, session: 's' });
  await expect(publisher.publish('a:b', { a: [null, { n: Infinity }] })).rejects.toMatchObject({
    code: 'INVALID',
    message: 'a:b: data.a[1].n must be a finite number, or a text',
  });
  await publisher.publish('a:b', { a: null });
  await publisher.close();
});
