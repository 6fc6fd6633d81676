import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../helpers/free-port.ts';
import { callProgram } from '../called-program.ts';
import { bin, newPlace, nodePath, runProgram, serve, type Place } from '../started-program.ts';

const run = promisify(execFile);

interface Report {
  ok: boolean;
  agents: { agent: string; path: string | null; findings: { state: string; text: string; hint?: string }[] }[];
}

/** A place where an agent's program tells its version, as the agents do. */
function withAgent({ folder, env }: Place, program: string, says: string): Place {
  const path = join(folder, 'bin', program);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return { folder, env: { ...env, PATH: `${join(folder, 'bin')}${delimiter}${env['PATH']}` } };
}

async function doctor(place: Place, ...args: string[]): Promise<{ code: number | null; findings: string[] }> {
  const { code, stdout, stderr } = await callProgram(['hook', 'doctor', '--json', ...args], place);
  expect(stderr).toBe('');
  const { ok, agents } = JSON.parse(stdout) as Report;
  const findings = agents.flatMap(({ findings: each }) => each.map(({ state, text }) => `${state}: ${text}`));
  expect(ok).toBe(!findings.some((each) => each.startsWith('problem')));
  expect(code).toBe(ok ? 0 : 1);
  return { code, findings };
}

function writeSettings({ folder }: Place, name: string, values: object): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), JSON.stringify(values));
}

const matching = (pattern: RegExp) => expect.arrayContaining([expect.stringMatching(pattern) as string]) as string[];

test('where nothing is installed it says how to; of an agent that is, all that is well', async () => {
  const { url: _url, ...served } = await serve('--journal', 'memory');
  const place = withAgent(served, 'claude', '2.1.332 (Claude Code)');
  expect(await runProgram(['hook', 'doctor'], place)).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('hook install AGENT') as string,
  });
  await callProgram(['hook', 'install', 'claude-code', '--strict'], place);
  expect((await doctor(place)).findings).toEqual([
    'ok: the hooks are those of this version',
    'ok: Claude Code is 2.1.332',
    'ok: no settings of Claude Code keep the hooks from running',
    expect.stringMatching(/^ok: the server at .* takes the hooks$/),
    'ok: steering is on: the server takes commands of this user',
  ]);
  expect((await runProgram(['hook', 'doctor'], place)).stdout).toMatch(/^Claude Code: .*settings\.json\n {2}ok {7}the hooks/);
  // Looking has left nothing behind.
  expect((await runProgram(['sessions', '--json'], place)).stdout).toContain('"sessions":[]');
});

test('an agent that is too old for the hooks, or for strict ones, is told of', async () => {
  const place = newPlace();
  await callProgram(['hook', 'install', 'claude-code', '--strict'], place);
  const say = async (says: string) => (await doctor(withAgent(place, 'claude', says))).findings;
  expect(await say('2.1.9 (Claude Code)')).toEqual(matching(/^problem: Claude Code is 2\.1\.9: it runs such hooks from 2\.1\.63 on$/));
  expect(await say('2.1.294 (Claude Code)')).toEqual(
    matching(/^problem: Claude Code is 2\.1\.294: it knows strict hooks from 2\.1\.295 on/),
  );
  expect(await say('2.1.295 (Claude Code)')).toEqual(matching(/^ok: Claude Code is 2\.1\.295$/));
  expect(await say('what?')).toEqual(matching(/^warning: claude does not tell its version/));
});

test('a server that does not answer is told of: one of this machine is started with the next session, another is not', async () => {
  const place = newPlace({ SHANNON_DASH_URL: `http://127.0.0.1:${await freePort()}` });
  await callProgram(['hook', 'install', 'claude-code'], place);
  expect((await doctor(place)).findings).toEqual(matching(/^warning: no server answers at .*; the next session starts one$/));
  const far = { ...place, env: { ...place.env, SHANNON_DASH_URL: 'https://127.0.0.1:1' } };
  await callProgram(['hook', 'install', 'claude-code'], far);
  expect((await doctor(far)).findings).toEqual(matching(/^problem: no server answers at https:/));
});

test('hooks that go to another server than the program, or start what is gone, are told of', async () => {
  const place = newPlace();
  const node = join(place.folder, 'node');
  copyFileSync(nodePath, node);
  const options = { env: place.env, cwd: place.folder };
  await run(node, [bin, 'hook', 'install', 'gemini', '--url', 'http://127.0.0.1:9000'], options);
  rmSync(node);
  const { findings } = await doctor(place);
  expect(findings).toEqual(matching(/^problem: the hooks start .*\/node, which is gone$/));
  expect(findings).toEqual(
    matching(/^problem: the hooks go to http:\/\/127\.0\.0\.1:9000, and this program to http:\/\/127\.0\.0\.1:8000$/),
  );
  await callProgram(['hook', 'install', 'gemini'], place);
  expect((await doctor(place)).findings).toEqual(matching(/^ok: the hooks are those of this version$/));
  const path = join(place.folder, '.gemini/settings.json');
  writeFileSync(
    path,
    readFileSync(path, 'utf8')
      .replace('"timeout": 55000', '"timeout": 1')
      .replace(/"timeout": \d{5,}/, '"timeout": 1'),
  );
  expect((await doctor(place)).findings).toEqual(matching(/^warning: the hooks are not as this version writes them$/));
  writeFileSync(path, '{');
  expect((await doctor(place)).findings).toEqual([expect.stringMatching(/^problem: .* is not as Gemini CLI reads it: line 1: /)]);
});

test('a token that is missing, or whose role is too small, is told of; fault 14, steering that is off is proved by asking', async () => {
  const place = await serve('--auth');
  const token = async (name: string, role: string) => {
    const globs = role === 'orchestrator' ? ['--session', 'claude-code-*'] : [];
    const { stdout } = await callProgram(['token', 'create', name, '--role', role, ...globs], place);
    return { ...place, env: { ...place.env, SHANNON_DASH_TOKEN: stdout.trim() } };
  };
  await callProgram(['hook', 'install', 'claude-code'], place);
  await callProgram(['hook', 'install', 'codex'], place);
  // The programs of the user find their token; Claude Code calls the server itself, and does not.
  expect((await doctor(place, 'claude-code')).findings).toEqual(matching(/^problem: the server at .* wants a token/));
  expect((await doctor(place, 'codex')).findings).toEqual(matching(/^ok: the server at .* takes the hooks$/));
  const viewer = (await doctor(await token('wall', 'viewer'), 'claude-code')).findings;
  expect(viewer).toEqual(matching(/^problem: the token of the hooks may not publish/));
  const publisher = (await doctor(await token('ci', 'orchestrator'), 'claude-code')).findings;
  expect(publisher).toEqual(matching(/^ok: the server at .* takes the hooks$/));
  expect(publisher).toEqual(matching(/^ok: steering is off: the server was sent a command, and refuses commands of this user$/));
  const admin = (await doctor(await token('root', 'admin'), 'claude-code')).findings;
  expect(admin).toEqual(matching(/^ok: steering is on/));
});

test('another server at the port is told of', async () => {
  const place = await serve('--journal', 'memory');
  await callProgram(['hook', 'install', 'claude-code', '--url', `${place.url}/elsewhere`], place);
  const elsewhere = { ...place, env: { ...place.env, SHANNON_DASH_URL: `${place.url}/elsewhere` } };
  expect((await doctor(elsewhere)).findings).toEqual(matching(/^problem: what answers at .* takes no hooks of claude-code/));
});

describe('settings of Claude Code that keep hooks from running', () => {
  test.each([
    [{ disableAllHooks: true }, /switches all hooks off \(disableAllHooks\)$/],
    [
      { allowedHttpHookUrls: ['https://*'] },
      /allows no http hook to http:\/\/127\.0\.0\.1:8000\/api\/hooks\/claude-code \(allowedHttpHookUrls\)$/,
    ],
    [{ enabledPlugins: { 'shannon-dash@somewhere': true } }, /switches the plugin of shannon-dash on: .* told twice$/],
    [{ httpHookAllowedEnvVars: ['SHANNON_DASH_TOKEN'] }, /keeps SHANNON_DASH_SESSION, SHANNON_DASH_RUN from http hooks/],
  ])('%j of a folder', async (values, sentence) => {
    const place = newPlace();
    await callProgram(['hook', 'install', 'claude-code'], place);
    writeSettings(place, '.claude/settings.local.json', values);
    expect((await doctor(place)).findings).toEqual(matching(sentence));
  });

  test('what lets ours through is no problem, nor what counts only where an organization says it', async () => {
    const place = newPlace();
    await callProgram(['hook', 'install', 'claude-code'], place);
    writeSettings(place, '.claude/settings.local.json', {
      allowManagedHooksOnly: true,
      disableAllHooks: false,
      enabledPlugins: { 'shannon-dash@somewhere': false, 'other@somewhere': true },
      allowedHttpHookUrls: ['http://127.0.0.1:*/api/*'],
      httpHookAllowedEnvVars: ['SHANNON_DASH_TOKEN', 'SHANNON_DASH_SESSION', 'SHANNON_DASH_RUN'],
    });
    expect((await doctor(place)).findings).toEqual(matching(/^ok: no settings of Claude Code keep the hooks from running$/));
  });

  test.runIf(process.platform === 'linux' && process.getuid?.() === 0)('of an organization', async (context) => {
    const place = newPlace();
    await callProgram(['hook', 'install', 'claude-code'], place);
    // An /etc of its own, which nobody else sees.
    const script = `mount -t tmpfs tmpfs /etc && mkdir -p /etc/claude-code/managed-settings.d && echo '{"allowManagedHooksOnly": true}' > /etc/claude-code/managed-settings.json &&
      echo '{"disableAllHooks": true}' > /etc/claude-code/managed-settings.d/10.json && exec "$0" "$@"`;
    const unshared = ['--mount', 'sh', '-c', script, nodePath, bin, 'hook', 'doctor'];
    const { stdout, stderr } = await run('unshare', unshared, { env: place.env, cwd: place.folder }).catch(
      (error: unknown) => error as { stdout: string; stderr: string },
    );
    if (/unshare|mount:/.test(stderr)) return context.skip(stderr);
    expect(stdout).toContain(
      'PROBLEM  /etc/claude-code/managed-settings.json allows only the hooks that it holds itself (allowManagedHooksOnly)',
    );
    expect(stdout).toContain('PROBLEM  /etc/claude-code/managed-settings.d/10.json switches all hooks off (disableAllHooks)');
  });
});

describe('Codex is asked which hooks it trusts', () => {
  /** Speaks as `codex app-server` does. */
  const codexWith = (place: Place, hooks: object[]) => {
    const answering = withAgent(place, 'codex', 'codex-cli 0.171.0');
    const answer = JSON.stringify({ id: 2, result: { data: [{ cwd: '/', hooks, warnings: [], errors: [] }] } });
    const script = `#!/bin/sh\n[ "$1" = --version ] && { echo codex-cli 0.171.0; exit; }\nread -r a; echo '{"id":1,"result":{}}'; read -r b; read -r c\necho '{"method":"configWarning","params":{}}'\necho '${answer}'\ncat >/dev/null\n`;
    writeFileSync(join(place.folder, 'bin/codex'), script);
    return answering;
  };

  test.each([
    ['untrusted', true, /^problem: codex trusts 1 of 2 hooks, and skips the others$/],
    ['trusted', false, /^problem: 1 of 2 hooks are switched off in codex$/],
    ['trusted', true, /^ok: codex trusts all 2 hooks$/],
  ])('%s, enabled: %s', async (trustStatus, enabled, sentence) => {
    const place = newPlace();
    await callProgram(['hook', 'install', 'codex'], place);
    const sourcePath = join(place.folder, '.codex/hooks.json');
    const others = { sourcePath: '/elsewhere', enabled: false, trustStatus: 'untrusted' };
    const hooks = [{ sourcePath, enabled: true, trustStatus: 'trusted' }, { sourcePath, enabled, trustStatus }, others];
    expect((await doctor(codexWith(place, hooks))).findings).toEqual(matching(sentence));
    expect((await doctor(codexWith(place, [others]))).findings).toEqual(matching(/^problem: codex has read no hooks from /));
  });

  test('one that does not tell is a warning', async () => {
    const place = newPlace();
    await callProgram(['hook', 'install', 'codex'], place);
    expect((await doctor(place)).findings).toEqual(matching(/^warning: codex does not tell which hooks it trusts$/));
  });
});
