import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { http } from '../helpers/start-server.ts';
import { connectMcp, kinds } from '../mcp/mcp-clients.ts';
import { bin, newPlace, nodePath, serveForAll, StartedProgram, type Place } from './started-program.ts';

const [stdio] = kinds;
const served = serveForAll('--journal', 'memory');

/** How many watch a session: the tools that wait. */
async function watchersOf(session: string): Promise<number | undefined> {
  const { body } = await http<{ sessions: { session_id: string; watchers: number }[] }>('GET', `${served().url}/api/sessions`);
  return body.sessions.find(({ session_id }) => session_id === session)?.watchers;
}

/** A place whose environment names a server that is not there. */
async function placeWithoutServer(): Promise<Place> {
  return newPlace({ SHANNON_DASH_URL: `http://127.0.0.1:${await freePort()}` });
}

const hello = (id: number, method: string, params: object = {}) => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const initialize = hello(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } });
const callTool = (id: number, name: string, args: object = {}) => hello(id, 'tools/call', { name, arguments: args });

test('without a server it starts, and every tool says what to do', async () => {
  const agent = await connectMcp(stdio, await placeWithoutServer(), { session: 'me' });
  const { tools } = await agent.client.listTools();
  for (const [name, args] of Object.entries({
    list_sessions: {},
    get_session: { session: 's' },
    read_events: { session: 's' },
    wait_for: { session: 's', until: 'ended' },
    ask: { question: '?', options: ['yes'] },
    get_decision: { decision_id: 'd' },
    report: { type: 'execution:started' },
    check_gate: {},
    send_command: { session: 's', type: 'HALT' },
  })) {
    expect(tools.map((each) => each.name)).toContain(name);
    const { text, isError } = await agent.call(name, args);
    expect([name, isError, text]).toEqual([
      name,
      true,
      expect.stringMatching(/^UNREACHABLE: .*\nNo server answers there\. Ask the user to start one \(shannon-dash serve\)/),
    ]);
  }
});

test('once a server is there, it is found', async () => {
  const place = await placeWithoutServer();
  const agent = await connectMcp(stdio, place);
  expect((await agent.call('list_sessions')).isError).toBe(true);
  const { port } = new URL(place.env['SHANNON_DASH_URL'] ?? '');
  const server = new StartedProgram(['serve', '--port', port, '--journal', 'memory', '--json'], place);
  await server.until(({ stdout }) => stdout.includes('\n'));
  expect((await agent.call('list_sessions')).facts).toMatchObject({ total: 0 });
});

test.skipIf(process.platform !== 'linux')('it never starts another process, with a server and without one', async () => {
  for (const place of [await placeWithoutServer(), served()]) {
    const program = new StartedProgram(['mcp', '--session', 'me'], place);
    program.child.stdin?.write(initialize + callTool(2, 'list_sessions') + callTool(3, 'check_gate'));
    await program.until(({ stdout }) => stdout.trim().split('\n').length === 3);
    const { pid } = program.child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    expect(children).toBe('');
    program.child.stdin?.end();
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
  }
});

test('only messages of the protocol go to stdout, also for what is none of it', async () => {
  const program = new StartedProgram(['mcp'], await placeWithoutServer());
  program.child.stdin?.write(`not json\n{"jsonrpc":"2.0"}\n${initialize}${hello(2, 'no/such/method')}`);
  await program.until(({ stdout }) => stdout.trim().split('\n').length === 2);
  program.child.stdin?.end();
  const { code, stdout } = await program.ended;
  expect(code).toBe(0);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number; error?: { code: number } });
  expect(answers.toSorted((one, other) => one.id - other.id).map(({ id, error }) => [id, error?.code])).toEqual([
    [1, undefined],
    [2, -32_601],
  ]);
});

test('it ends with stdin, while a tool waits too', async () => {
  const place = served();
  await http('POST', `${place.url}/api/sessions/ends/events`, { type: 'execution:started' });
  const program = place.start('mcp');
  program.child.stdin?.write(initialize + callTool(2, 'wait_for', { session: 'ends', until: 'ended', timeout_s: 50 }));
  await expect.poll(() => watchersOf('ends')).toBe(1);
  program.child.stdin?.end();
  expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
  await expect.poll(() => watchersOf('ends')).toBe(0);
});

test('a message that is too long ends it', async () => {
  const program = new StartedProgram(['mcp'], await placeWithoutServer());
  program.child.stdin?.on('error', () => undefined).write('x'.repeat(5 * 1024 * 1024));
  expect(await program.ended).toMatchObject({ code: 0, stdout: '' });
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it', async (signal) => {
  const program = new StartedProgram(['mcp'], await placeWithoutServer());
  program.child.stdin?.write(initialize);
  await program.until(({ stdout }) => stdout.includes('\n'));
  program.child.kill(signal);
  expect(await program.ended).toMatchObject({ code: signal === 'SIGTERM' ? 143 : 130, stderr: '' });
});

test('it ends when its client is killed, while a tool waits too', async () => {
  const place = served();
  await http('POST', `${place.url}/api/sessions/killed/events`, { type: 'execution:started' });
  const script = join(place.folder, 'client.mjs');
  writeFileSync(
    script,
    `
      import { Client } from ${JSON.stringify(import.meta.resolve('@modelcontextprotocol/client'))};
      import { StdioClientTransport } from ${JSON.stringify(import.meta.resolve('@modelcontextprotocol/client/stdio'))};
      const transport = new StdioClientTransport({ command: process.execPath, args: [${JSON.stringify(bin)}, 'mcp'], env: process.env });
      const client = new Client({ name: 'test', version: '1' });
      await client.connect(transport);
      console.log(transport.pid);
      await client.callTool({ name: 'wait_for', arguments: { session: 'killed', until: 'ended' } });
    `,
  );
  const client = spawn(nodePath, [script], { env: place.env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void client.kill('SIGKILL'));
  const pid = Number(await new Promise((resolve) => client.stdout.once('data', (data: Buffer) => resolve(data.toString()))));
  await expect.poll(() => watchersOf('killed')).toBe(1);
  client.kill('SIGKILL');
  await expect.poll(() => isRunning(pid)).toBe(false);
  await expect.poll(() => watchersOf('killed')).toBe(0);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('started by Claude Code, its own session is the one that shows Claude Code, whatever else it is told', async () => {
  const place = { ...served(), env: { ...served().env, CLAUDE_CODE_SESSION_ID: '6f0c5a1e-0000-4000-8000-000000000001' } };
  const session = 'claude-code-6f0c5a1e-0000-4000-8000-000000000001';
  const agent = await connectMcp(stdio, place);
  expect((await agent.call('report', { type: 'execution:started' })).facts).toMatchObject({ session });
  const named = await connectMcp(stdio, place, { session: 'mine', supervisor: true });
  expect((await named.call('report', { type: 'execution:started' })).facts).toMatchObject({ session: 'mine' });
  for (const own of [session, 'mine'])
    expect((await named.call('send_command', { session: own, type: 'HALT' })).text).toMatch(/^FORBIDDEN: This is your own session/);
});

test('inside a run its own session is that of the run, and it may not be steered from there', async () => {
  const place = served();
  const messages = [initialize, callTool(2, 'report', { type: 'skill:started', data: { skill_name: 'lint' } })];
  const script = join(place.folder, 'agent.mjs');
  writeFileSync(
    script,
    `
      import { spawn } from 'node:child_process';
      const mcp = spawn(process.execPath, [${JSON.stringify(bin)}, 'mcp'], { stdio: ['pipe', 'inherit', 'inherit'] });
      const send = (text) => new Promise((resolve) => mcp.stdin.write(text, resolve));
      await send(${JSON.stringify(messages.join(''))});
      await send(${JSON.stringify(callTool(3, 'send_command', { session: 'r', type: 'HALT' }))});
      process.stdin.once('data', () => mcp.stdin.end());
    `,
  );
  const run = place.start('run', '-s', 'r', '--', nodePath, script);
  await run.until(({ stdout }) => stdout.includes('"id":2') && stdout.includes('"id":3'));
  run.child.stdin?.end('end\n');
  const { stdout, code } = await run.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/\\"session\\":\\"r\\".*"id":2/);
  expect(stdout).toMatch(/FORBIDDEN: This is your own session.*"id":3/);
});
