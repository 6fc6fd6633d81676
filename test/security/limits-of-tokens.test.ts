import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { accessLimits } from '../../src/core/protocol/limits.ts';
import { connectOperator, connectPublisher } from '../../src/index.ts';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { createToken, type TokenRequest } from '../../src/server/access/tokens/token-changes.ts';
import { newPlace, StartedProgram } from '../cli/started-program.ts';
import { http, startServer } from '../helpers/start-server.ts';

/** A server with tokens, and what asks it with one of them. */
async function startWithTokens() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const boss = createToken(tokenFile, { name: 'boss', role: 'admin' }).text;
  const server = await startServer({ tokenFile, journal: new MemoryJournal() });
  const ask = (token: string, method: string, path: string, body?: unknown) =>
    http(method, server.url + path, body, { authorization: `Bearer ${token}` });
  const token = async (request: TokenRequest) => {
    const { text } = createToken(tokenFile, request);
    await expect.poll(() => ask(text, 'GET', '/health')).toMatchObject({ status: 200 });
    return text;
  };
  return { server, boss, ask, token };
}

/** How a request beyond a limit is refused. */
const refused = {
  status: 429,
  body: { success: false, code: 'LIMIT_REACHED', retry_after_ms: expect.any(Number), error: expect.stringMatching(/try again in \d s$/) },
};

test('commands of an operator beyond the limit are refused with the time to wait, which clients obey; others are answered', async () => {
  const { server, boss, ask, token } = await startWithTokens();
  await ask(boss, 'POST', '/api/sessions/s/events', { type: 'execution:started' });
  const [ana, bert] = [await token({ name: 'ana', role: 'operator' }), await token({ name: 'bert', role: 'operator' })];
  const halt = (by: string, id?: string) =>
    ask(by, 'POST', '/api/sessions/s/commands', { type: 'HALT', command_id: id, timeout_ms: 1_000 });
  // A slow machine may need more than one period for so many: the limit is reached again before each look.
  const reachLimit = async () => {
    for (let answered = 0; ;) {
      const answers = await Promise.all(Array.from({ length: accessLimits.commands + 20 }, () => halt(ana)));
      const over = answers.find(({ status }) => status === 429);
      answered += answers.filter(({ status }) => status !== 429).length;
      if (over !== undefined) return { answered, over };
    }
  };
  const { answered, over } = await reachLimit();
  expect(answered).toBeGreaterThanOrEqual(accessLimits.commands);
  expect(over).toMatchObject(refused);
  const { retry_after_ms } = over.body as { retry_after_ms: number };
  expect(retry_after_ms).toBeLessThanOrEqual(accessLimits.periodMs);
  expect(Number(over.headers.get('retry-after'))).toBe(Math.ceil(retry_after_ms / 1_000));
  // Neither another operator nor the user of this machine is slowed down, and an admin is not counted.
  const others = await Promise.all([
    halt(bert),
    ...Array.from({ length: 120 }, () => halt(boss)),
    http('POST', `${server.url}/api/sessions/s/commands`, { type: 'HALT' }),
  ]);
  expect(others.map(({ status }) => status).filter((status) => status === 429)).toEqual([]);
  // The client of the SDK waits and is answered; one with too little time is told why not.
  const operator = await connectOperator({ url: server.url, token: ana });
  onTestFinished(() => operator.close());
  const isShort = async () => ((await reachLimit()).over.body as { retry_after_ms: number }).retry_after_ms < 2_000;
  while (await isShort());
  await expect(operator.send({ type: 'HALT', session_id: 's' }, { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: 'LIMIT_REACHED',
    retryAfterMs: expect.any(Number),
  });
  const program = new StartedProgram(['send', 'HALT', '-s', 's', '--url', server.url], newPlace({ SHANNON_DASH_TOKEN: ana }));
  while (!program.stderr.includes('waiting: One token may send 100 commands in 5 s')) await reachLimit();
  const sent = await operator.send({ type: 'HALT', session_id: 's' }, { timeoutMs: 20_000 });
  expect(sent).toMatchObject({ success: true });
  expect(await program.ended).toMatchObject({ code: 0 });
}, 120_000);

test('bytes of a producer beyond the limit are refused; the outbox waits, says why, and everything is journalled once', async (context) => {
  const { server, boss, ask, token } = await startWithTokens();
  const ci = await token({ name: 'ci', role: 'orchestrator', sessions: ['ci-*'] });
  const large = JSON.stringify(Array.from({ length: 4 }, () => ({ type: 'a:b', data: { text: 'x'.repeat(900_000) } })));
  const publisher = await connectPublisher({ url: server.url, token: ci, session: 'ci-2' });
  onTestFinished(() => publisher.close());
  const problems: string[] = [];
  publisher.onProblem(({ error }) => problems.push(error.message));
  const answers: { status: number }[] = [];
  let published = 0;
  const isRefused = () => problems.some((each) => /^One token may send \d+ bytes of events in 5 s; try/.test(each));
  // Until its small event meets what the large ones have used up.
  for (let floods = 0; !isRefused(); floods++) {
    const begunAt = performance.now();
    answers.push(...(await Promise.all(Array.from({ length: 20 }, () => ask(ci, 'POST', '/api/sessions/ci-1/events', large)))));
    expect(await publisher.publish('a:b', {})).toMatchObject({ seq: ++published });
    if (floods > 2 && performance.now() - begunAt > accessLimits.periodMs)
      return context.skip('this machine does not take as many bytes in one period as are too many');
  }
  expect(answers.find(({ status }) => status === 429)).toMatchObject(refused);
  expect((await ask(boss, 'GET', '/api/sessions/ci-2')).body).toMatchObject({ seq: published });
}, 60_000);

test('dear reads of one token run a few at a time; others are answered, and the client gets all of its own in the end', async () => {
  const { server, boss, ask, token } = await startWithTokens();
  // Too large a state for any of the earlier ones to be kept.
  const metadata = { text: randomBytes(400_000).toString('base64') };
  await ask(boss, 'POST', '/api/sessions', { session_id: 's', metadata });
  const long = Array.from({ length: 1_000 }, (_, n) => ({ type: 'skill:progress', data: { skill_name: 'a', progress: n % 100 } }));
  for (let n = 0; n < 5; n++) await ask(boss, 'POST', '/api/sessions/s/events', long);
  const ana = await token({ name: 'ana', role: 'viewer' });
  for (const path of ['/api/sessions/s?at=2900', '/api/sessions/s/events?limit=5000']) {
    const [answers, other] = await Promise.all([
      Promise.all(Array.from({ length: 40 }, () => ask(ana, 'GET', path))),
      http('GET', `${server.url}${path}`),
    ]);
    expect(other.status).toBe(200);
    const counts = [200, 429].map((status) => answers.filter((answer) => answer.status === status).length);
    expect(counts[0]).toBeGreaterThanOrEqual(accessLimits.dearReads);
    expect(counts[1]).toBeGreaterThan(0);
    expect(counts[0]! + counts[1]!).toBe(40);
    expect(answers.find(({ status }) => status === 429)).toMatchObject(refused);
    // What is over makes room.
    expect((await ask(ana, 'GET', path)).status).toBe(200);
  }
});
