import { describe, expect, test } from 'vitest';
import { foldLimits, limits } from '../../src/core/protocol/limits.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';

const point = (decision_id: string, question = '?') => ({
  type: 'decision:point',
  data: { decision_id, question, options: ['yes', 'no'] },
});
const linkOf = async (server: TestServer) =>
  `${server.url}${String((await http('GET', `${server.url}/api/sessions/s/decisions/d`)).body['answer_path'])}`;

describe('row 18: an old decision link against a new question of the same id', () => {
  test('is worth nothing; the new link is', async () => {
    const server = await startServer();
    await publish(server, 's', point('d', 'Delete the backup?'));
    const link = await linkOf(server);
    await publish(server, 's', { type: 'decision:made', data: { decision_id: 'd', choice: 'no' } });
    await publish(
      server,
      's',
      Array.from({ length: foldLimits.decisions }, (_, n) => point(`other-${n}`)),
    );
    await publish(server, 's', point('d', 'Deploy?'));
    expect(await http('POST', link, { choice: 'yes' })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await http('POST', await linkOf(server), { choice: 'yes' })).toMatchObject({ status: 200, body: { status: 'applied' } });
  });
});

describe('row 25: refused commands without end', () => {
  test('are all answered, counted, and few of them journalled, also those of who holds a link', async () => {
    const server = await startServer();
    await publish(server, 's', [{ type: 'execution:started', data: {} }, point('d')]);
    const operator = await connectQuiet(server.url);
    const answers = await Promise.all(Array.from({ length: 150 }, () => operator.ask('command', { type: 'RESUME', session_id: 's' })));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'rejected', code: 'CONFLICT', error: 'Cannot resume - execution is running' });
    const link = await linkOf(server);
    for (let n = 0; n < 50; n++) expect(await http('POST', link, { choice: 'maybe' })).toMatchObject({ status: 409 });
    const { body } = await http<{ events: unknown[] }>('GET', `${server.url}/api/sessions/s/events?types=command:rejected`);
    expect(body.events.length).toBeGreaterThanOrEqual(limits.journalledRefusals);
    expect(body.events.length).toBeLessThan(100);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const counted = /^shannon_dash_refusals_not_journalled_total (\d+)$/m.exec(metrics)?.[1];
    expect(Number(counted)).toBe(200 - body.events.length);
    // What is not journalled is no command: it can be sent again, and others are taken.
    expect(await operator.ask('command', { type: 'HALT', session_id: 's' })).toMatchObject({ status: 'applied' });
    expect(await http('POST', link, { choice: 'yes' })).toMatchObject({ status: 200 });
  });
});
