import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { may, maySend, roles, type Role, type Verb } from '../../src/core/access.ts';
import { endpointOf, httpApi, type EndpointName } from '../../src/core/http-api.ts';
import { commandTypes, type CommandType } from '../../src/core/protocol/command.ts';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { startServer } from '../helpers/start-server.ts';

/** What is posted to an endpoint; a session for each role, so that none finds what another one did. */
const bodies: Partial<Record<EndpointName, (id: string) => unknown>> = {
  createSession: (id) => ({ session_id: `${id}-new` }),
  publish: () => ({ type: 'test:step' }),
  command: () => ({ type: 'HALT', timeout_ms: 10 }),
  resendCommand: () => ({ timeout_ms: 10 }),
  answerDecision: () => ({ choice: 'yes' }),
};

const socketRequests: [Verb, string, (id: string) => unknown][] = [
  ['watch', 'subscribe', (session_id) => ({ session_id })],
  ['watchAll', 'subscribe', () => ({})],
  ['publish', 'publish', (session_id) => ({ session_id, events: [{ type: 'test:step' }] })],
  ['publish', 'cli_event', (session_id) => ({ session_id, event_type: 'test:step' })],
  ['command', 'command', (session_id) => ({ session_id, type: 'HALT', timeout_ms: 10 })],
  ['resend', 'command:resend', (session_id) => ({ session_id, resend_of: 'none' })],
  ['cancel', 'command:cancel', (session_id) => ({ session_id, command_id: 'none' })],
  ['attach', 'orchestrator:attach', (session_id) => ({ session_id, instance_id: 'i', capabilities: [], take_over: true })],
];

async function startWithRoles() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-roles-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const token = (role: Role, steer = false) =>
    createToken(tokenFile, { name: `${role}${steer ? '-steer' : ''}`, role, steer, sessions: ['role-*'] }).text;
  const tokens = Object.fromEntries(roles.map((role) => [role, token(role)])) as Record<Role, string>;
  const steering = token('operator', true);
  const all = createToken(tokenFile, { name: 'all', role: 'admin' }).text;
  return { server: await startServer({ tokenFile, asksEverybody: true }), tokens, steering, all };
}

async function http(url: string, token: string, method: string, body?: unknown) {
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, body: (isJson ? await response.json() : {}) as { code?: string; error?: string } };
}

test('each role may use the verbs of the table over HTTP, and no others', async () => {
  const { server, tokens, all } = await startWithRoles();
  for (const role of roles) {
    const id = `role-${role}`;
    const question = { type: 'decision:point', data: { decision_id: 'd', question: '?', options: ['yes'] } };
    await http(`${server.url}/api/sessions/${id}/events`, all, 'POST', question);
    const last = (name: EndpointName) => (name === 'deleteSession' ? 1 : 0);
    const names = (Object.keys(httpApi) as EndpointName[]).toSorted((a, b) => last(a) - last(b));
    for (const name of names) {
      const { method, path, verb } = endpointOf(name);
      if (verb === null || name === 'metrics' || name === 'stats' || name === 'backup') continue;
      const url = path
        .replace('{id}', id)
        .replace('{decision}', 'd')
        .replace('{command}', 'none')
        .replace('{token}', 'x')
        .replace('{name}', 'none');
      const { status, body } = await http(`${server.url}${url}`, tokens[role], method, bodies[name]?.(id));
      expect([role, name, status === 403, body.code === 'FORBIDDEN']).toEqual([role, name, !may(role, verb), !may(role, verb)]);
      if (!may(role, verb)) expect(body.error).toMatch(/^The role \w+ may not [a-z][a-z ,]+; ask for a token of the role /);
    }
  }
});

test.each(['polling', 'websocket'] as const)('and so over Socket.IO, by %s', async (transport) => {
  const { server, tokens } = await startWithRoles();
  for (const role of roles) {
    const socket = io(server.url, { transports: [transport], auth: { token: tokens[role], subscribe: false }, forceNew: true });
    onTestFinished(() => void socket.close());
    const greeting = new Promise<{ role: string }>((resolve) => socket.once('connected', resolve));
    expect((await greeting).role).toBe(role);
    for (const [verb, name, payload] of socketRequests) {
      const answer = (await socket.emitWithAck(name, payload(`role-${role}`))) as { code?: string };
      expect([role, name, answer.code === 'FORBIDDEN']).toEqual([role, name, !may(role, verb)]);
    }
    socket.close();
  }
});

test('a command that can run code needs the grant to steer', async () => {
  const { server, tokens, steering, all } = await startWithRoles();
  await http(`${server.url}/api/sessions/role-s/events`, all, 'POST', { type: 'execution:started' });
  const fields: Partial<Record<CommandType, object>> = {
    REDIRECT: { target_skill: 'x' },
    INJECT: { skill_name: 'x' },
    DECISION: { decision_id: 'd', choice: 'x' },
  };
  const senders: [string, { role: Role; canSteer: boolean }][] = [
    [tokens.operator, { role: 'operator', canSteer: false }],
    [steering, { role: 'operator', canSteer: true }],
    [tokens.admin, { role: 'admin', canSteer: false }],
  ];
  for (const [token, sender] of senders) {
    for (const type of commandTypes) {
      const sent = await http(`${server.url}/api/sessions/role-s/commands`, token, 'POST', { type, timeout_ms: 1, ...fields[type] });
      expect([sender, type, sent.body.code === 'FORBIDDEN']).toEqual([sender, type, !maySend(sender, type)]);
    }
  }
});
