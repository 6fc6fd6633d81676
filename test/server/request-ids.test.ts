import { pino } from 'pino';
import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { connectQuiet } from '../helpers/socket-client.ts';
import { http, startServer } from '../helpers/start-server.ts';

interface Line {
  msg: string;
  request_id?: string;
  [field: string]: unknown;
}

async function loggingServer(journal = new MemoryJournal()) {
  const lines: Line[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line) as Line) });
  return { lines, server: await startServer({ journal, log }) };
}

test('every answer over HTTP has an id of its own, which an error says in its body and the log says too', async () => {
  const { lines, server } = await loggingServer();
  const fine = await http('GET', `${server.url}/health`);
  const wrong = await http('GET', `${server.url}/api/sessions/none`);
  const missing = await http('GET', `${server.url}/nowhere`);
  const command = await http('POST', `${server.url}/api/sessions/none/commands`, { type: 'HALT' });
  const foreign = await http('GET', `${server.url}/health`, undefined, { origin: 'http://evil.example' });
  const ids = [fine, wrong, missing, command, foreign].map(({ headers }) => headers.get('x-request-id') ?? '');
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[\w-]{6,64}$/);
  expect([wrong, missing, command, foreign].map(({ body }) => body['request_id'])).toEqual(ids.slice(1));
  expect(fine.body).not.toHaveProperty('request_id');
  const logged = () => lines.filter(({ msg }) => msg === 'request').map(({ request_id }) => request_id);
  await expect.poll(logged).toEqual(expect.arrayContaining(ids));
  expect(lines.find(({ rule }) => rule === 'origin')?.request_id).toBe(ids.at(-1));
});

test('the id that a caller gives is taken where it is short and plain, and no other', async () => {
  const { server } = await loggingServer();
  const idFor = async (own: string) =>
    (await http('GET', `${server.url}/health`, undefined, { 'x-request-id': own })).headers.get('x-request-id');
  expect(await idFor('build-7:step.2_b')).toBe('build-7:step.2_b');
  for (const wrong of ['', 'a b', 'x'.repeat(65), 'a"b', '<script>', 'ä']) expect(await idFor(wrong)).toMatch(/^[0-9a-f]{8}-[0-9a-z]+$/);
});

test('a failure that nobody foresaw stands in the log with the id that the caller was told', async () => {
  const journal = new MemoryJournal();
  const { lines, server } = await loggingServer(journal);
  journal.create = () => Promise.reject(new Error('not foreseen'));
  const answer = await http('POST', `${server.url}/api/sessions`, { session_id: 's' });
  expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
  const failure = lines.find(({ msg }) => msg === 'a request failed');
  expect(failure).toMatchObject({ request_id: answer.body['request_id'], err: { message: 'not foreseen' } });
});

test('an error over Socket.IO has an id too, by which the log names the request', async () => {
  const { lines, server } = await loggingServer();
  const client = await connectQuiet(server.url);
  const answers = [await client.ask('subscribe', { session_id: 7 }), await client.ask('nonsense', {})];
  const ids = answers.map((answer) => answer['request_id']);
  expect(ids).toEqual([expect.stringMatching(/^[\w-]{6,64}$/), expect.stringMatching(/^[\w-]{6,64}$/)]);
  expect(ids[0]).not.toBe(ids[1]);
  const refused = lines.filter(({ msg }) => msg.startsWith('refused: '));
  expect(refused).toMatchObject([
    { request: 'subscribe', code: 'INVALID', request_id: ids[0], level: pino.levels.values['debug'] },
    { request: 'nonsense', code: 'INVALID', request_id: ids[1] },
  ]);
});
