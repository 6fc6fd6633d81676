import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { startServer } from '../helpers/start-server.ts';

/** Tokens and sessions, one for each: `PAIRS=50` tries 2,450 foreign pairs. */
const count = Number(process.env['PAIRS'] ?? 8);
/** Events that are published while watchers with overlapping globs listen: `DELIVERIES=100000`. */
const deliveries = Number(process.env['DELIVERIES'] ?? 3_000);

async function startGuarded() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-pairs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const token = (name: string, sessions: string[]) => createToken(tokenFile, { name, role: 'admin', sessions }).text;
  return { tokenFile, token, start: () => startServer({ tokenFile, asksEverybody: true }) };
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function http(url: string, token: string, method = 'GET', body?: unknown, accept = 'application/json'): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, accept, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Every verb that names a session, over HTTP. */
const httpVerbs: Record<string, (session: string) => [string, string, unknown?, string?]> = {
  state: (id) => ['GET', `/api/sessions/${id}`],
  stateAt: (id) => ['GET', `/api/sessions/${id}?at=1`],
  history: (id) => ['GET', `/api/sessions/${id}/events`],
  stream: (id) => ['GET', `/api/sessions/${id}/events`, undefined, 'text/event-stream'],
  create: (id) => ['POST', '/api/sessions', { session_id: id }],
  publish: (id) => ['POST', `/api/sessions/${id}/events`, { type: 'test:step' }],
  command: (id) => ['POST', `/api/sessions/${id}/commands`, { type: 'HALT', timeout_ms: 10 }],
  ledger: (id) => ['GET', `/api/sessions/${id}/commands`],
  decision: (id) => ['GET', `/api/sessions/${id}/decisions/d`],
  answerLink: (id) => ['POST', `/api/sessions/${id}/decisions/d/answer/x`, { choice: 'yes' }],
  delete: (id) => ['DELETE', `/api/sessions/${id}`],
};

/** The same over Socket.IO. */
const socketVerbs: Record<string, (session: string) => [string, unknown]> = {
  watch: (id) => ['subscribe', { session_id: id }],
  publish: (id) => ['publish', { session_id: id, events: [{ type: 'test:step' }] }],
  cliEvent: (id) => ['cli_event', { session_id: id, event_type: 'test:step' }],
  command: (id) => ['command', { session_id: id, type: 'HALT', timeout_ms: 10 }],
  attach: (id) => ['orchestrator:attach', { session_id: id, instance_id: 'thief', capabilities: [], take_over: true }],
  update: (id) => ['command:update', { session_id: id, command_id: 'c', status: 'applied' }],
};

async function connect(url: string, token: string, transport: 'polling' | 'websocket'): Promise<Socket> {
  const socket = io(url, { transports: [transport], auth: { token, subscribe: false }, forceNew: true });
  onTestFinished(() => void socket.close());
  await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
  return socket;
}

/** What is the same for every refused request: a session that is there is told from one that is not by nothing. */
function withoutNames(answer: Record<string, unknown>, session: string): string {
  return JSON.stringify({ ...answer, timestamp: '', command_id: '', elapsed_ms: 0 })
    .replaceAll(session, 'SESSION')
    .replaceAll(/"request_id":"[^"]*"/g, '"request_id":""');
}

describe('the session of somebody else', () => {
  test('every foreign pair of token and session is refused, with every verb and on every transport, like a session that is not there', async () => {
    const { token, start } = await startGuarded();
    const ids = Array.from({ length: count }, (_, n) => `own-${n}`);
    const tokens = ids.map((id) => token(`of-${id}`, [id]));
    const boss = token('boss', ['*']);
    const server = await start();
    const question = { type: 'decision:point', data: { decision_id: 'd', question: '?', options: ['yes', 'no'] } };
    for (const id of ids) expect((await http(`${server.url}/api/sessions/${id}/events`, boss, 'POST', question)).status).toBe(200);
    let asked = 0;
    const ask = async (name: string, session: string, own: number) => {
      const [method, path, body, accept] = httpVerbs[name]!(session);
      asked++;
      const { status, body: answer } = await http(`${server.url}${path}`, tokens[own]!, method, body, accept);
      return `${status} ${withoutNames(answer, session)}`;
    };
    for (const name of Object.keys(httpVerbs)) {
      const missing = await ask(name, 'own-none', 0);
      expect(missing).toMatch(/^404 /);
      for (const [own] of ids.entries()) {
        const answers = await Promise.all(ids.filter((_, n) => n !== own).map((id) => ask(name, id, own)));
        expect([name, [...new Set(answers)]]).toEqual([name, [missing]]);
      }
    }
    for (const transport of ['polling', 'websocket'] as const) {
      for (const [own] of ids.entries()) {
        const socket = await connect(server.url, tokens[own]!, transport);
        const emit = async (name: string, session: string) => {
          asked++;
          const answer = (await socket.emitWithAck(...socketVerbs[name]!(session))) as Record<string, unknown>;
          return withoutNames(answer, session);
        };
        for (const name of Object.keys(socketVerbs)) {
          const missing = await emit(name, 'own-none');
          expect(missing).toContain('NOT_FOUND');
          const answers = await Promise.all(ids.filter((_, n) => n !== own).map((id) => emit(name, id)));
          expect([transport, name, [...new Set(answers)]]).toEqual([transport, name, [missing]]);
        }
        socket.close();
      }
    }
    const { body } = await http(`${server.url}/api/sessions`, boss);
    const sessions = body['sessions'] as { session_id: string; seq: number; status: string }[];
    expect(sessions.map(({ session_id, seq }) => [session_id, seq])).toEqual(ids.map((id) => [id, 1]));
    const lists = await Promise.all(tokens.map((each) => http(`${server.url}/api/sessions`, each)));
    expect(lists.map((list) => (list.body['sessions'] as { session_id: string }[]).map(({ session_id }) => session_id))).toEqual(
      ids.map((id) => [id]),
    );
    console.log(`${count * (count - 1)} foreign pairs, ${asked} requests refused`);
  });

  test('no delivery leaks to a watcher of all sessions whose globs overlap with those of others', async () => {
    const { token, start } = await startGuarded();
    const groups = ['a', 'b', 'c', 'd'];
    const sessions = groups.flatMap((group) => [1, 2, 3].map((n) => `${group}-${n}`));
    const scopes = [['a-*'], ['a-*', 'b-1'], ['b-*'], ['*-2'], ['c-1', 'd-3'], ['*'], ['none-*']];
    const boss = token('boss', ['*']);
    const tokens = scopes.map((scope, n) => token(`scope-${n}`, scope));
    const server = await start();
    const matches = (glob: string, id: string) => new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(id);
    const watchers = await Promise.all(
      tokens.map(async (each, n) => {
        const seen = new Map<string, number>();
        const foreign: string[] = [];
        const socket = await connect(server.url, each, 'websocket');
        socket.on('events', ({ session_id, events }: { session_id: string; events: { session_id: string }[] }) => {
          if (!scopes[n]!.some((glob) => matches(glob, session_id))) foreign.push(session_id);
          for (const event of events) if (event.session_id !== session_id) foreign.push(event.session_id);
          seen.set(session_id, (seen.get(session_id) ?? 0) + events.length);
        });
        await socket.emitWithAck('subscribe', { batch: true });
        return { seen, foreign };
      }),
    );
    const producer = await connect(server.url, boss, 'websocket');
    const rounds = Math.ceil(deliveries / sessions.length / 10);
    for (let round = 0; round < rounds; round++) {
      await Promise.all(
        sessions.map((session_id) =>
          producer.emitWithAck('publish', { session_id, events: Array.from({ length: 10 }, () => ({ type: 'test:step' })) }),
        ),
      );
    }
    const expected = scopes.map((scope) => sessions.filter((id) => scope.some((glob) => matches(glob, id))));
    for (const [n, { seen }] of watchers.entries())
      await expect.poll(() => Object.fromEntries(seen)).toEqual(Object.fromEntries(expected[n]!.map((id) => [id, rounds * 10])));
    expect(watchers.map(({ foreign }) => foreign)).toEqual(scopes.map(() => []));
    const delivered = watchers.reduce((sum, { seen }) => sum + [...seen.values()].reduce((all, each) => all + each, 0), 0);
    console.log(`${rounds * 10 * sessions.length} events, ${delivered} deliveries, none to another's watcher`);
  });
});
