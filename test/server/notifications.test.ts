import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { notificationLimits } from '../../src/core/protocol/limits.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { freePort } from '../helpers/free-port.ts';
import { startReceiver, type NotificationReceiver, type ReceivedRequest } from '../helpers/notification-receiver.ts';
import { http, publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const started = { type: 'execution:started', data: { task: 'nightly build' } };
const completed = { type: 'execution:completed', data: {} };
const asks = (id = 'd', question = 'Migrate now?') => ({
  type: 'decision:point',
  data: { decision_id: id, question, options: ['yes', { id: 'n', label: 'no' }] },
});
const failed = (error = 'out of memory') => ({ type: 'execution:failed', data: { error } });

interface Told {
  id: string;
  type: string;
  count: number;
  title: string;
  text: string;
  urgent: boolean;
  let_go: number;
  events: { session_id: string; epoch: string; seq: number; type: string; data: Record<string, unknown>; answer_url?: string }[];
}

interface Place {
  server: TestServer;
  log: Record<string, unknown>[];
  file: string;
  progressFile: string;
}

function write(file: string, targets: object): void {
  writeFileSync(file, JSON.stringify({ targets }), { mode: 0o600 });
}

/** A server that tells these targets. */
async function telling(targets: object): Promise<Place> {
  const folder = await temporaryFolder();
  const [file, progressFile] = [join(folder, 'notify.json'), join(folder, 'journal-notified')];
  write(file, targets);
  const log: Record<string, unknown>[] = [];
  const lines = pino({ level: 'warn' }, { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  return { server: await startServer({ notifications: { file, progressFile }, log: lines }), log, file, progressFile };
}

const webhook = (receiver: Pick<NotificationReceiver, 'url'>, more: object = {}) => ({
  hook: { kind: 'webhook', url: `${receiver.url}/hook`, secret, ...more },
});

/** What a request tells, once its signature is verified with the library of Standard Webhooks. */
const toldBy = ({ body, headers }: ReceivedRequest) => new Webhook(secret).verify(body, headers) as Told;
const toldTo = ({ requests }: NotificationReceiver) => requests.map(toldBy);
/** Every event that was told, in order. */
const eventsTo = (receiver: NotificationReceiver) =>
  toldTo(receiver).flatMap(({ events }) => events.map(({ session_id, type }) => `${session_id} ${type}`));

test('a webhook is told, signed, what needs a person and what has ended, and nothing else', async () => {
  const receiver = await startReceiver();
  const { server } = await telling(webhook(receiver));
  await publish(server, 'build', [
    started,
    { type: 'skill:started', data: { skill_name: 'lint' } },
    { type: 'validation:result', data: { check_name: 'types', success: true } },
    { type: 'validation:result', data: { check_name: 'tests', success: false, message: '3 failed' } },
    { type: 'agent:waiting', data: { message: 'needs your input' } },
    asks(),
  ]);
  await http('POST', `${server.url}/api/sessions/build/commands`, { type: 'HALT', reason: 'lunch' }, { 'x-client': 'ana' });
  await publish(server, 'other', [started, completed]);
  await expect.poll(() => eventsTo(receiver).length).toBe(5);
  const told = toldTo(receiver);
  expect(told.map(({ title, text, urgent }) => ({ title, text, urgent }))).toEqual([
    { title: 'build check failed: tests', text: '3 failed\ntask: nightly build', urgent: true },
    { title: 'build waits for you', text: 'needs your input\ntask: nightly build', urgent: true },
    { title: 'build asks', text: 'Migrate now?\n[yes] [no]\ntask: nightly build', urgent: true },
    { title: 'build halted by ana', text: 'lunch\ntask: nightly build', urgent: false },
    { title: 'other completed', text: expect.stringMatching(/^task: nightly build; after \d+s$/) as string, urgent: false },
  ]);
  const [check] = told;
  expect(check).toMatchObject({ type: 'validation:result', count: 1, let_go: 0, events: [{ session_id: 'build', seq: 4 }] });
  expect(check?.events[0]?.answer_url).toBeUndefined();
  const id = receiver.requests[0]?.headers['webhook-id'];
  expect(id).toBe(check?.id);
  expect(new Set(told.map((each) => each.id)).size).toBe(5);
});

test('a storm of one type is one notification that says how many', async () => {
  const receiver = await startReceiver();
  const { server } = await telling(webhook(receiver));
  const sessions = Array.from({ length: 120 }, (_, at) => `job-${at}`);
  for (const session of sessions) await publish(server, session, [started, failed()]);
  await expect.poll(() => toldTo(receiver).reduce((sum, { count }) => sum + count, 0)).toBe(120);
  expect(receiver.requests.length).toBeLessThanOrEqual(notificationLimits.perMinute);
  const most = toldTo(receiver).toSorted((a, b) => b.count - a.count)[0];
  expect(most?.title).toBe(`failed: ${most?.count}`);
  expect(most?.text).toMatch(/^job-\d+ failed: out of memory\n[^]*\nand \d+ more$/);
  expect(most?.events.length).toBe(Math.min(notificationLimits.events, most?.count ?? 0));
});

test('what the target does not take is told again with the same id, and in the end once', async () => {
  const receiver = await startReceiver();
  receiver.answers.push({ status: 503 }, { status: 429, headers: { 'retry-after': '1' } });
  const { server, log } = await telling(webhook(receiver));
  await publish(server, 'build', [started, failed()]);
  await expect.poll(() => receiver.requests.length).toBe(3);
  expect(new Set(toldTo(receiver).map(({ id }) => id)).size).toBe(1);
  await publish(server, 'next', [started, completed]);
  await expect.poll(() => receiver.requests.length).toBe(4);
  expect(eventsTo(receiver).slice(2)).toEqual(['build execution:failed', 'next execution:completed']);
  expect(log.map(({ target, msg }) => [target, msg])).toEqual([
    ['hook', 'A notification waits for its target, which is tried again: it answers with 503'],
    ['hook', 'The target takes notifications again'],
  ]);
});

test('over a restart nothing is lost and nothing is told twice: neither what waited, nor what came while the server was away', async () => {
  const port = await freePort();
  const { server, progressFile } = await telling(webhook({ url: `http://127.0.0.1:${port}` }));
  await publish(server, 'build', [started, failed()]);
  await publish(server, 'asking', [started, asks()]);
  await expect.poll(() => existsSync(progressFile) && readFileSync(progressFile, 'utf8')).toContain('"asking"');
  await server.close();
  expect(statSync(progressFile).mode & 0o777).toBe(0o600);
  // What it holds are places, nothing of what stands there.
  expect(readFileSync(progressFile, 'utf8')).not.toMatch(/memory|Migrate/);
  const journal = await openSqliteJournal({ path: join(server.folder, 'journal.sqlite') });
  const timestamp = new Date().toISOString();
  await journal.append('asking', [{ ...completed, timestamp }]);
  await journal.append('new', [{ ...failed('while away'), timestamp }]);
  await journal.close();
  const receiver = await startReceiver(port);
  await server.restart();
  await expect.poll(() => eventsTo(receiver).length).toBe(4);
  await publish(server, 'build', [started, failed('again')]);
  await expect.poll(() => eventsTo(receiver).length).toBe(5);
  await server.restart();
  await server.journal.append('last', [{ ...completed, timestamp }]);
  await expect.poll(() => eventsTo(receiver).length).toBe(6);
  expect(eventsTo(receiver).toSorted()).toEqual([
    'asking decision:point',
    'asking execution:completed',
    'build execution:failed',
    'build execution:failed',
    'last execution:completed',
    'new execution:failed',
  ]);
});

test('what is no longer so is not told: a decision that was made meanwhile, an agent that goes on, and all of a replay', async () => {
  const port = await freePort();
  const { server } = await telling(webhook({ url: `http://127.0.0.1:${port}` }));
  await publish(server, 'build', [started, asks('made'), asks('open'), { type: 'agent:waiting', data: {} }]);
  // An agent that has just been started, and one whose question is told of itself.
  await publish(server, 'new', [started, { type: 'agent:waiting', data: { reason: 'prompt' } }]);
  await publish(server, 'build', { type: 'agent:waiting', data: { reason: 'permission' } });
  await publish(server, 'build', [
    { type: 'message:user', data: { text: 'go on' } },
    { type: 'decision:made', data: { decision_id: 'made', choice: 'yes' } },
  ]);
  const metadata = { replay_of: { session_id: 'build', epoch: 'e', seq: 3 } };
  await http('POST', `${server.url}/api/sessions`, { session_id: 'again', metadata });
  await publish(server, 'again', [started, asks(), failed()]);
  const receiver = await startReceiver(port);
  await publish(server, 'build', completed);
  await expect.poll(() => eventsTo(receiver)).toEqual(['build decision:point', 'build execution:completed']);
  expect(toldTo(receiver)[0]?.events[0]?.data).toMatchObject({ decision_id: 'open' });
});

test('a target that refuses, or that leads elsewhere, is not asked again, and the log shows no URL', async () => {
  const elsewhere = await startReceiver();
  const receiver = await startReceiver();
  receiver.answers.push({ status: 404 }, { status: 307, headers: { location: `${elsewhere.url}/other` } });
  const { server, log } = await telling(webhook(receiver));
  await publish(server, 'a', [started, failed()]);
  await publish(server, 'b', [started, completed]);
  await publish(server, 'c', [started, asks()]);
  await expect.poll(() => receiver.requests.length).toBe(3);
  expect(eventsTo(receiver)).toEqual(['a execution:failed', 'b execution:completed', 'c decision:point']);
  expect(elsewhere.requests).toEqual([]);
  expect(log.map(({ msg }) => msg)).toEqual([
    'A notification is let go: it answers with 404',
    'A notification is let go: it answers with 307, and redirects are not followed',
  ]);
  expect(JSON.stringify(log)).not.toMatch(/\/hook|whsec_|127\.0\.0\.1/);
});

test('each target has its own events and sessions, and a changed file counts at once', async () => {
  const receiver = await startReceiver();
  const { server, file, log } = await telling(webhook(receiver, { events: ['skill:*'], sessions: ['ci-*'] }));
  await publish(server, 'ci-1', [started, { type: 'skill:started', data: { skill_name: 'lint' } }, completed]);
  await publish(server, 'mine', { type: 'skill:started', data: { skill_name: 'lint' } });
  await expect
    .poll(() => toldTo(receiver).map(({ title, text }) => [title, text]))
    .toEqual([['ci-1 skill:started', 'lint started\ntask: nightly build']]);
  const second = await startReceiver();
  write(file, { ...webhook(receiver, { events: ['execution:failed'] }), team: { kind: 'slack', url: `${second.url}/T/B/X` } });
  // The file is looked at every second: what is published until then is told by the former one.
  await expect
    .poll(
      async () => {
        await publish(server, 'mine', failed());
        return [receiver.requests.length > 1, second.requests.length > 0];
      },
      { interval: 500 },
    )
    .toEqual([true, true]);
  writeFileSync(file, '{"targets": {"hook": {"kind": "webhook", "url": "https://example.com/SECRET-PATH", "secret": "short"}}}');
  await expect.poll(() => log.map(({ msg }) => String(msg)).join()).toContain('Notifications go on as before');
  expect(JSON.stringify(log)).not.toMatch(/SECRET-PATH|short"/);
});

test('Slack gets texts of strangers as plain text, without mentions and links', async () => {
  const receiver = await startReceiver();
  const { server } = await telling({ team: { kind: 'slack', url: `${receiver.url}/services/T/B/X` } });
  await publish(server, 'build', [started, asks('keep', '<!channel> <https://evil.example|look> *now*\x1b]0;title\x07?')]);
  await expect.poll(() => receiver.requests.length).toBe(1);
  const [request] = receiver.requests;
  expect(request?.path).toBe('/services/T/B/X');
  expect(JSON.parse(request?.body ?? '')).toEqual({
    text: 'build asks',
    mrkdwn: false,
    blocks: [
      { type: 'section', text: { type: 'plain_text', text: 'build asks', emoji: false } },
      {
        type: 'section',
        text: {
          type: 'plain_text',
          text: '<!channel> <https://evil.example|look> *now*?\n[yes] [no]\ntask: nightly build\nshannon-dash send DECISION -s build --decision keep --choice ...',
          emoji: false,
        },
      },
    ],
  });
});

test('ntfy gets its JSON, and a button of it answers the decision', async () => {
  const receiver = await startReceiver();
  const { server } = await telling({
    phone: { kind: 'ntfy', url: `${receiver.url}/base/my-topic`, token: 'tk_secret', answer_links: true },
  });
  await publish(server, 'build', [started, asks('keep')]);
  await expect.poll(() => receiver.requests.length).toBe(1);
  const [request] = receiver.requests;
  expect(request).toMatchObject({ path: '/base', headers: { authorization: 'Bearer tk_secret' } });
  const { actions, ...told } = JSON.parse(request?.body ?? '') as { actions: Record<string, string>[] };
  expect(told).toEqual({ topic: 'my-topic', title: 'build asks', message: 'Migrate now?\n[yes] [no]\ntask: nightly build', priority: 4 });
  expect(actions.map(({ action, label }) => [action, label])).toEqual([
    ['http', 'yes'],
    ['http', 'no'],
  ]);
  const [, no] = actions;
  const answer = await fetch(no?.['url'] ?? '', {
    method: no?.['method'] ?? '',
    headers: no?.['headers'] as unknown as Record<string, string>,
    body: no?.['body'] ?? '',
  });
  expect(answer.status).toBeLessThan(300);
  const { body } = await http('GET', `${server.url}/api/sessions/build/decisions/keep`);
  expect(body).toMatchObject({ made_by: expect.stringContaining('link') as string, choice: 'n', status: 'made' });
});

test.each([
  ['http to another machine', { hook: { kind: 'webhook', url: 'http://example.com/SECRET', secret } }, 'http goes to this machine only'],
  ['a password in the URL', { hook: { kind: 'slack', url: 'https://me:SECRET@example.com/' } }, 'without a name and a password'],
  ['another scheme', { hook: { kind: 'slack', url: 'file:///SECRET' } }, 'must be a URL with https'],
  ['no kind', { hook: { url: 'https://example.com/SECRET' } }, 'kind must be webhook, slack or ntfy'],
  ['an unknown field', { hook: { kind: 'slack', url: 'https://example.com/SECRET', method: 'GET' } }, 'method'],
  ['an ntfy without a topic', { hook: { kind: 'ntfy', url: 'https://ntfy.sh/' } }, 'must end with the topic'],
])('%s is refused with a sentence that shows no secret', async (_, targets, sentence) => {
  const { log, server } = await telling(targets);
  expect(log.map(({ msg }) => msg)).toEqual([expect.stringContaining(sentence)]);
  expect(JSON.stringify(log)).not.toMatch(/SECRET|whsec_/);
  expect((await http('GET', `${server.url}/health`)).status).toBe(200);
});

test('a file that others can read is not used, and no target is told', async () => {
  const receiver = await startReceiver();
  const folder = await temporaryFolder();
  const file = join(folder, 'notify.json');
  writeFileSync(file, JSON.stringify({ targets: webhook(receiver) }), { mode: 0o644 });
  const log: string[] = [];
  const server = await startServer({
    notifications: { file },
    log: pino({ level: 'warn' }, { write: (line: string) => void log.push(line) }),
  });
  expect(log.join('')).toContain('others can read it or write it; take that away: chmod 600');
  await publish(server, 'build', [started, failed()]);
  expect(receiver.requests).toEqual([]);
});
