import { describe, expect, test } from 'vitest';
import { connectQuiet, openClient } from '../helpers/socket-client.ts';
import { http, startServer } from '../helpers/start-server.ts';

/** Comparing its length with a number throws. */
const hostile = { length: { toString: 1 } };

describe('row 21: an object whose length is no number, where a text or a list is asked for', () => {
  test('is INVALID at every door, with the name of its field', async () => {
    const server = await startServer();
    const client = await connectQuiet(server.url);
    const asked: [string, object, string][] = [
      ['publish', { session_id: 's', events: hostile }, 'events'],
      ['publish', { session_id: 's', events: [{ type: hostile }] }, 'events[0].type'],
      ['publish', { session_id: 's', events: [{ type: 'a:b', id: hostile }] }, 'events[0].id'],
      ['publish', { session_id: 's', events: [{ type: 'skill:started', data: { skill_name: hostile } }] }, 'events[0].data.skill_name'],
      [
        'publish',
        { session_id: 's', events: [{ type: 'decision:point', data: { decision_id: 'd', question: 'q', options: hostile } }] },
        'data.options',
      ],
      ['cli_event', { session_id: 's', event_type: hostile }, 'event_type'],
      ['command', { session_id: 's', type: 'HALT', reason: hostile }, 'reason'],
      ['command', { session_id: 's', type: 'HALT', command_id: hostile }, 'command_id'],
      ['subscribe', { session_id: 's', event_types: hostile }, 'event_types'],
      ['subscribe', { session_id: 's', event_types: [hostile] }, 'event_types[0]'],
      ['orchestrator:attach', { session_id: 's', instance_id: hostile }, 'instance_id'],
      ['orchestrator:attach', { session_id: 's', instance_id: 'i', capabilities: hostile }, 'capabilities'],
      ['command:update', { session_id: 's', command_id: hostile, status: 'applied' }, 'command_id'],
    ];
    for (const [name, payload, field] of asked) {
      const answer = await client.ask(name, payload);
      expect(answer, `${name} ${field}`).toMatchObject({
        success: false,
        code: 'INVALID',
        error: expect.stringContaining(`${field}: must `),
      });
    }
    const posted: [string, object, string][] = [
      ['/api/sessions', { session_id: 'x', skills: hostile }, 'skills'],
      ['/api/sessions', { session_id: 'x', skills: [hostile] }, 'skills[0]'],
      ['/api/sessions/s/events', { type: hostile }, 'events[0].type'],
      ['/api/sessions/s/commands', { type: 'REDIRECT', target_skill: hostile }, 'target_skill'],
    ];
    for (const [path, body, field] of posted) {
      const answer = await http('POST', `${server.url}${path}`, body);
      expect([answer.status, answer.body['code']], `${path} ${field}`).toEqual([400, 'INVALID']);
      expect(answer.body['error']).toContain(`${field}: must `);
    }
    const stranger = openClient(server.url, { auth: { client: hostile } });
    const refusal = await new Promise<Error>((resolve) => stranger.socket.once('connect_error', resolve));
    expect(refusal.message).toMatch(/^client: must /);
  });
});
