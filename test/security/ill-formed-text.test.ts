import { describe, expect, test } from 'vitest';
import { connectQuiet, openClient } from '../helpers/socket-client.ts';
import { http, startServer } from '../helpers/start-server.ts';

/** Half of an emoji, and another one: two texts in memory, one and the same U+FFFD to a database. */
const [half, otherHalf] = ['\ud83d', '\ud83e'];
const notWellFormed = 'must be well-formed Unicode, without half of a surrogate pair';

describe('row 30: a text that is not well-formed Unicode', () => {
  test('is refused over HTTP with the name of its field, wherever it stands', async () => {
    const server = await startServer();
    const session = `${server.url}/api/sessions/s`;
    const event = (fields: object) => ({ type: 'a:b', data: {}, ...fields });
    const refused: [string, unknown, string][] = [
      [`${session}/events`, event({ id: half }), 'events[0].id'],
      [`${session}/events`, [event({}), event({ id: otherHalf })], 'events[1].id'],
      [`${session}/events`, event({ data: { a: [0, { b: `x${half}` }] } }), 'events[0].data.a[1].b'],
      [`${session}/events`, event({ data: { a: { [half]: 1 } } }), 'events[0].data.a.\ufffd'],
      [`${session}/events`, { type: 'skill:started', data: { skill_name: half } }, 'events[0].data.skill_name'],
      [`${session}/commands`, { type: 'HALT', command_id: half }, 'command_id'],
      [`${session}/commands`, { type: 'HALT', reason: half }, 'reason'],
      [`${session}/commands`, { type: 'INJECT', skill_name: 'x', parameters: { a: half } }, 'parameters.a'],
      [`${server.url}/api/sessions`, { session_id: 'new', skills: ['a', half] }, 'skills[1]'],
      [`${server.url}/api/sessions`, { session_id: 'new', metadata: { a: half } }, 'metadata.a'],
    ];
    await http('POST', `${session}/events`, event({}));
    for (const [url, body, field] of refused) {
      const answer = await http('POST', url, body);
      expect([answer.status, answer.body['code'], answer.body['error']]).toEqual([400, 'INVALID', `${field}: ${notWellFormed}`]);
    }
    const lines = `${JSON.stringify(event({}))}\n${JSON.stringify(event({ id: half }))}\n`;
    const answer = await http('POST', `${session}/events`, lines, { 'content-type': 'application/x-ndjson' });
    expect(answer.body['error']).toBe(`events[1].id: ${notWellFormed}`);
    expect((await http('GET', session)).body).toMatchObject({ seq: 1, commands: [] });
  });

  test('is refused over Socket.IO with the name of its field, in the handshake too', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const refused: [string, unknown, string][] = [
      ['publish', { session_id: 's', events: [{ type: 'a:b', id: half }] }, 'events[0].id'],
      ['publish', { session_id: 's', events: [{ type: 'a:b', data: { a: half } }] }, 'events[0].data.a'],
      ['command', { type: 'HALT', session_id: 's', command_id: half }, 'command_id'],
      ['orchestrator:attach', { session_id: 's', instance_id: half }, 'instance_id'],
      ['orchestrator:attach', { session_id: 's', instance_id: 'i', capabilities: [half] }, 'capabilities[0]'],
      ['subscribe', { session_id: 's', event_types: [half] }, 'event_types[0]'],
      ['subscribe', { session_id: 's', after: { epoch: half, seq: 0 } }, 'after.epoch'],
      ['command:update', { session_id: 's', command_id: half, status: 'applied' }, 'command_id'],
      ['command:update', { session_id: 's', command_id: 'c', status: 'failed', error: half }, 'error'],
    ];
    for (const [name, payload, field] of refused) {
      expect(await client.ask(name, payload)).toMatchObject({ code: 'INVALID', error: `${field}: ${notWellFormed}` });
    }
    const stranger = openClient(server.url, { auth: { client: half } });
    const refusal = await new Promise<Error>((resolve) => stranger.socket.once('connect_error', resolve));
    expect(refusal.message).toBe(`client: ${notWellFormed}`);
  });

  test('in the result of a command is refused too, and the command can still end', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    await client.ask('orchestrator:attach', { session_id: 's', instance_id: 'i', capabilities: ['INJECT'] });
    client.socket.on('command:execute', (_: unknown, acknowledge: () => void) => acknowledge());
    const injected = client.ask('command', { type: 'INJECT', session_id: 's', command_id: 'c', skill_name: 'x' });
    await client.until('the command', () => client.all('command:execute').length === 1);
    const update = { session_id: 's', command_id: 'c', status: 'applied' };
    expect(await client.ask('command:update', { ...update, result: { a: half } })).toMatchObject({
      code: 'INVALID',
      error: expect.stringContaining(`result.a: ${notWellFormed}`),
    });
    await client.ask('command:update', { ...update, result: { a: 'b' } });
    expect(await injected).toMatchObject({ status: 'applied', result: { a: 'b' } });
  });

  test('in the data of a cli_event, which is never refused, becomes U+FFFD', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const data = { text: `a${half}b`, [`key${half}`]: 1, whole: '😀', backslash: '\\ud83d' };
    await client.ask('cli_event', { session_id: 's', event_type: 'a:b', data });
    const { body } = await http<{ events: { data: unknown }[] }>('GET', `${server.url}/api/sessions/s/events`);
    expect(body.events[0]?.data).toEqual({ text: 'a\ufffdb', 'key\ufffd': 1, whole: '😀', backslash: '\\ud83d' });
  });

  test('never gets into the journal: it takes 4 MiB more, and all is there after a restart', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    for (const id of [half, otherHalf]) {
      await client.ask('publish', { session_id: 'culprit', events: [{ type: 'a:b', id }] });
      await client.ask('command', { session_id: 'culprit', type: 'HALT', command_id: id });
    }
    const data = { text: 'x'.repeat(10_000) };
    for (let round = 0; round < 8; round++) {
      const answer = await client.publish(
        'innocent',
        Array.from({ length: 50 }, () => ({ type: 'a:b', data })),
      );
      expect(answer).toMatchObject({ success: true, last_seq: (round + 1) * 50 });
    }
    await server.restart();
    expect((await http('GET', `${server.url}/api/sessions`)).body).toMatchObject({
      total: 1,
      sessions: [{ session_id: 'innocent', seq: 400 }],
    });
  });
});
