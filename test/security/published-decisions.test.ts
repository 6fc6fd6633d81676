import { describe, expect, test } from 'vitest';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer } from '../helpers/start-server.ts';

describe('row 17: a decision that a producer settles', () => {
  test('with a choice that is no option stays open and says so; one of its options counts, by id or label', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const state = () => http('GET', `${server.url}/api/sessions/s`);
    const options = ['yes', { id: 'n', label: 'No, never' }];
    for (const decision_id of ['d1', 'd2']) {
      await publish(server, 's', { type: 'decision:point', data: { decision_id, question: 'Ship?', options } });
    }
    await publish(server, 's', { type: 'decision:made', data: { decision_id: 'd1', choice: 'anything', made_by: 'the boss' } });
    await client.ask('cli_event', { session_id: 's', event_type: 'decision:made', data: { decision_id: 'd2', choice: 'else' } });
    const open = { status: 'open', choice: null, made_by: null };
    expect((await state()).body['decisions']).toMatchObject([
      { ...open, ignored_choice: 'anything' },
      { ...open, ignored_choice: 'else' },
    ]);
    await publish(server, 's', { type: 'decision:made', data: { decision_id: 'd1', choice: 'No, never', made_by: 'me' } });
    expect(await client.ask('command', { session_id: 's', type: 'DECISION', decision_id: 'd2', choice: 'yes' })).toMatchObject({
      status: 'applied',
    });
    expect((await state()).body['decisions']).toMatchObject([
      { status: 'made', choice: 'No, never', made_by: 'me' },
      { status: 'made', choice: 'yes' },
    ]);
  });

  test('never takes a default that is no option at its deadline', async () => {
    const server = await startServer();
    const data = { decision_id: 'd', question: 'Ship?', options: ['yes'], default: 'no', timeout_ms: 1 };
    await publish(server, 's', { type: 'decision:point', data });
    expect((await http('GET', `${server.url}/api/sessions/s`)).body['decisions']).toMatchObject([
      { status: 'open', default: null, deadline: null },
    ]);
  });
});
