import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DecisionState } from '../../src/core/protocol/session-state.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';

const hourMs = 3_600_000;
const started = { type: 'execution:started', data: {} };
const point = (decision_id: string, timeout_ms: number) => ({
  type: 'decision:point',
  data: { decision_id, question: '?', options: ['yes', 'no'], default: 'no', timeout_ms },
});
const decisionOf = async (server: TestServer, id: string) =>
  (await http<DecisionState>('GET', `${server.url}/api/sessions/s/decisions/${id}`)).body;

/** By HTTP: socket.io-client takes its connection for dead when the clock jumps. */
const inject = async (server: TestServer, command_id: string) =>
  (await http('POST', `${server.url}/api/sessions/s/commands`, { type: 'INJECT', skill_name: 'x', command_id })).body;

/** Sets the clock of this process, and of the server in it; its timers go on. */
function setClock(byMs: number): void {
  const now = Date.now() + byMs;
  vi.useFakeTimers({ toFake: ['Date'], now });
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a clock that jumps', () => {
  test.each([
    ['2 hours back', -2 * hourMs],
    ['400 days on', 400 * 24 * hourMs],
  ])('%s leaves deadlines as they are, while the server runs and over a restart', async (_how, byMs) => {
    const server = await startServer({ commandExpiryMs: 700 });
    await publish(server, 's', [started, point('long', 10 * 60_000), point('short', 500)]);
    expect(await inject(server, 'c')).toMatchObject({ status: 'queued' });
    setClock(byMs);
    await expect.poll(async () => (await decisionOf(server, 'short')).status).toBe('made');
    expect((await decisionOf(server, 'long')).status).toBe('open');
    await expect.poll(() => inject(server, 'c')).toMatchObject({ status: 'expired' });
    expect((await http('GET', `${server.url}/health`)).body['uptime_seconds']).toBeGreaterThanOrEqual(0);
    await publish(server, 's', point('over', 400));
    await inject(server, 'd');
    setClock(-byMs);
    await server.restart();
    // At once or after its whole length, as the calendar has it, but never after hours or days.
    await expect.poll(async () => (await decisionOf(server, 'over')).status).toBe('made');
    await expect.poll(() => inject(server, 'd')).toMatchObject({ status: 'expired' });
  });

  test('of a producer is nothing to a deadline', async () => {
    const server = await startServer();
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    await publish(server, 's', [
      { ...point('behind', 10 * 60_000), timestamp: at(-2 * hourMs) },
      { ...point('ahead', 300), timestamp: at(2 * hourMs) },
    ]);
    await expect.poll(async () => (await decisionOf(server, 'ahead')).status).toBe('made');
    expect((await decisionOf(server, 'behind')).status).toBe('open');
  });
});
