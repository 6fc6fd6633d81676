import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { limits } from '../../src/core/protocol/limits.ts';
import { startServer } from '../helpers/start-server.ts';

/** Other tests of this process have loaded the server already: its limits are others for this one only. */
function shortLimits(): void {
  const { headersMs, requestMs } = limits;
  Object.assign(limits, { headersMs: 1_000, requestMs: 2_000 });
  onTestFinished(() => void Object.assign(limits, { headersMs, requestMs }));
}

const timestamp = '2026-01-31T08:00:00.000Z';
const header = (session_id: string, seq: number) =>
  JSON.stringify({
    recording: 1,
    session_id,
    epoch: 'e',
    seq,
    origin: { created_at: timestamp, skills: [], metadata: {} },
    versions: { shannon_dash: '4.0.0' },
  });
const event = (session_id: string, seq: number) =>
  JSON.stringify({ session_id, seq, id: `e:${seq}`, type: 'test:step', timestamp, received_at: timestamp, data: {}, source: 'a' });

/** A request whose body is sent line by line, with so long between two, and of which so many bytes never come. Gives what came back. */
async function sendSlowly(port: number, path: string, type: string, lines: string[], { pauseMs = 0, missing = 0 } = {}): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.on('error', () => undefined).on('data', (data: Buffer) => (answer += data.toString()));
  await once(socket, 'connect');
  const bytes = lines.join('\n').length + 1 + missing;
  socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`);
  for (const line of lines) {
    socket.write(`${line}\n`);
    if (pauseMs > 0) await wait(pauseMs);
  }
  await expect.poll(() => answer, { timeout: 10_000 }).toMatch(/\r\n\r\n\{.*\}/s);
  return answer;
}

test('an import takes as long as it likes while something comes; what does not come on, and another slow request, is told why it ends', async () => {
  shortLimits();
  const { port, url } = await startServer();
  const recordings = '/api/recordings';
  const type = 'application/x-ndjson';
  const count = 12;
  const events = (session: string) => Array.from({ length: count }, (_, at) => event(session, at + 1));
  const [slow, silent, other] = await Promise.all([
    sendSlowly(port, recordings, type, [header('slow', count), ...events('slow')], { pauseMs: 250 }),
    sendSlowly(port, recordings, type, [header('silent', count), event('silent', 1)], { missing: 1_000 }),
    sendSlowly(port, '/api/sessions/s/events', 'application/json', ['[', ' '], { missing: 1_000 }),
  ]);
  expect(slow).toMatch(/^HTTP\/1\.1 20\d .*"imported":\[\{"session_id":"slow"/s);
  expect(silent).toMatch(/^HTTP\/1\.1 503 .*connection: close.*Nothing more of the recording came for 2 s/is);
  expect(other).toMatch(/^HTTP\/1\.1 408 .*A request must be whole within 2 s/s);
  const { sessions } = (await (await fetch(`${url}/api/sessions`)).json()) as { sessions: { session_id: string }[] };
  expect(sessions.map(({ session_id }) => session_id)).toEqual(['slow']);
});
