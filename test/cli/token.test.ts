import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { callProgram } from './called-program.ts';
import { newPlace, serve } from './started-program.ts';

/** The status of a request with a token. */
async function statusOf(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/api/sessions`, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

test('a token is made, used, listed, replaced and revoked while the server runs', async () => {
  const place = await serve('--auth');
  const { stdout, stderr, code } = await place.run('token', 'create', 'ana', '--role', 'operator', '--steer', '--expires', '30d');
  expect(code).toBe(0);
  // Alone on stdout, so that a script can keep it.
  expect(stdout).toMatch(/^sd_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}\n$/);
  const first = stdout.trim();
  expect(stderr).toContain('operator ana');
  expect(stderr).not.toContain(first);
  await expect.poll(() => statusOf(place.url, first)).toBe(200);
  const file = join(place.folder, 'state/shannon-dash/journal.db-tokens');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toContain(first.slice(12, 40));

  const rotated = JSON.parse((await place.run('token', 'rotate', 'ana', '--json')).stdout) as { token: string; id: string };
  expect(rotated).toMatchObject({ name: 'ana', role: 'operator', steer: true, sessions: ['*'], expires_at: expect.any(String) });
  await expect.poll(() => statusOf(place.url, first)).toBe(401);
  expect(await statusOf(place.url, rotated.token)).toBe(200);

  expect((await place.run('token', 'revoke', rotated.id)).stdout).toContain('operator ana');
  await expect.poll(() => statusOf(place.url, rotated.token)).toBe(401);
  expect(JSON.parse((await place.run('token', 'list', '--json')).stdout)).toMatchObject({ tokens: [] });
});

test('a server keeps when each token was last used, in a file of its own', async () => {
  const place = await serve('--auth');
  const used = (await callProgram(['token', 'create', 'ana', '--role', 'viewer'], place)).stdout.trim();
  await callProgram(['token', 'create', 'ben', '--role', 'viewer'], place);
  await expect.poll(() => statusOf(place.url, used)).toBe(200);
  place.server.child.kill('SIGTERM');
  await place.server.ended;
  const { tokens } = JSON.parse((await callProgram(['token', 'list', '--json'], place)).stdout) as {
    tokens: { name: string; last_used_at: unknown }[];
  };
  expect(tokens.map(({ name, last_used_at }) => [name, last_used_at])).toEqual([
    ['ana', expect.stringMatching(/^\d{4}-/)],
    ['ben', null],
  ]);
  const file = join(place.folder, 'state/shannon-dash/journal.db-tokens-used');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await callProgram(['token', 'list'], place)).stdout).toMatch(/ana +viewer +\* .* ago +never +.* ago\n.*ben .* never\n$/);
});

test('--out writes the token to a new file of its owner, and changes nothing where that file is there', async () => {
  const place = newPlace();
  const made = await callProgram(['token', 'create', 'ci', '--role', 'orchestrator', '--session', 'ci-*', '--out', 'ci.token'], place);
  expect(made).toMatchObject({ code: 0, stdout: 'ci.token\n' });
  const file = join(place.folder, 'ci.token');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^sd_\w+\n$/);
  const before = readFileSync(join(place.folder, 'state/shannon-dash/journal.db-tokens'), 'utf8');
  const again = await callProgram(['token', 'rotate', 'ci', '--out', 'ci.token'], place);
  expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('nothing was changed') });
  expect(readFileSync(join(place.folder, 'state/shannon-dash/journal.db-tokens'), 'utf8')).toBe(before);
  expect(readFileSync(file, 'utf8')).toBe(text);
  const refused = await callProgram(['token', 'create', 'ci', '--role', 'viewer', '--out', 'other.token'], place);
  expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('a token named ci already') });
  expect(existsSync(join(place.folder, 'other.token'))).toBe(false);
});

test.each([
  [['create'], 'needs a name'],
  [['create', 'x'], 'needs a role'],
  [['create', 'x', '--role', 'king'], 'viewer, operator, orchestrator, admin'],
  [['create', 'x', '--role', 'viewer', '--steer'], '--steer is for operators'],
  [['create', 'x', '--role', 'orchestrator'], "--session 'ci-*'"],
  [['create', 'x', '--role', 'orchestrator', '--session', '*'], 'named sessions only'],
  [['create', 'x', '--role', 'viewer', '--session', 'a b'], 'sessions[0]'],
  [['create', 'x', '--role', 'viewer', '--expires', 'soon'], '--expires soon'],
  [['create', 'x', '--role', 'viewer', '--tenant', 'A/..'], 'tenant: must be'],
  [['create', '\u001b[31m', '--role', 'viewer'], 'name: must be'],
  [['list', 'x'], 'takes no name'],
  [['revoke', 'x', '--role', 'viewer'], '--role does not go with token revoke'],
  [['create', 'x', '--role', 'viewer', '--journal', 'memory'], 'a journal in memory has no tokens'],
  [['list', '--journal', 'postgres://u:p@h/d'], 'must hold no password'],
])('token %j is refused and says why', async (args, sentence) => {
  const { code, stdout, stderr } = await callProgram(['token', ...args], newPlace());
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain('\u001b');
});

test('a token that is not there is told so', async () => {
  expect(await callProgram(['token', 'revoke', 'x'], newPlace())).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('there is no token x\n  see all: shannon-dash token list'),
  });
});

test('audit tells who commanded what, to an admin', async () => {
  const place = await serve('--auth');
  await place.run('run', '-s', 'ci-1', '--', 'true');
  await callProgram(['send', 'HALT', '-s', 'ci-1', '--json'], place);
  const { code, stdout } = await place.run('audit', '--session', 'ci-*', '--since', '1h');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^TIME +BY +ROLE +FROM +COMMAND +STATUS +SESSION/);
  expect(stdout).toMatch(/admin +127\.0\.0\.1 +HALT +\w+ +ci-1/);
  expect(JSON.parse((await callProgram(['audit', '--by', 'nobody', '--json'], place)).stdout)).toMatchObject({
    commands: [],
    older: false,
  });
  expect(await callProgram(['audit', '--since', 'soon'], place)).toMatchObject({ code: 2, stderr: expect.stringContaining('--since 24h') });
  const viewer = (await callProgram(['token', 'create', 'vic', '--role', 'viewer'], place)).stdout.trim();
  const asViewer = { ...place, env: { ...place.env, SHANNON_DASH_TOKEN: viewer } };
  await expect.poll(async () => (await callProgram(['sessions'], asViewer)).code).toBe(0);
  expect(await callProgram(['audit'], asViewer)).toMatchObject({ code: 4, stderr: expect.stringContaining('of the role admin') });
  expect(await callProgram(['send', 'HALT', '-s', 'ci-1'], asViewer)).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('of the role operator or admin'),
  });
});

test('a new token says what its holder can do with it, by its role, and for how long', async () => {
  const place = newPlace({ SHANNON_DASH_PUBLIC_URL: 'https://dash.example' });
  const hint = async (...args: string[]) => (await callProgram(['token', 'create', ...args, '--expires', '365d'], place)).stderr;
  expect(await hint('wall', '--role', 'viewer')).toContain(
    'SHANNON_DASH_URL=https://dash.example SHANNON_DASH_TOKEN=... shannon-dash watch\n',
  );
  expect(await hint('boss', '--role', 'admin', '--out', 'boss.token')).toContain(
    'shannon-dash stats --url https://dash.example --token-file FILE\n',
  );
  const ofOrchestrator = ['ci', '--role', 'orchestrator', '--session', 'ci-*'];
  expect(await hint(...ofOrchestrator, '--out', 'ci.token')).toContain(
    'shannon-dash run -s ci-1 --url https://dash.example --token-file FILE -- COMMAND\n',
  );
  expect((await callProgram(['token', 'list'], place)).stdout).toMatch(/ci +orchestrator +ci-\* +\w+ ago +in 365d/);
});

test('no command takes a token as an argument, and one that is given so is neither used nor repeated', async () => {
  expect(
    commands
      .flatMap(({ definition }) => (definition.options ?? []).map(({ flags }) => flags))
      .filter((flags) => /token|secret|password/.test(flags)),
  ).toEqual([]);
  const place = await serve('--auth');
  const text = (await callProgram(['token', 'create', 'boss', '--role', 'admin'], place)).stdout.trim();
  for (const args of [
    ['sessions', '--token-file', text],
    ['sessions', '--token', text],
    ['sessions', '--url', `${place.url}/?token=${text}`],
    ['emit', 'test:step', '-s', 's', '--data', JSON.stringify({ text })],
    ['run', '--token-file', text, '--', 'true'],
  ]) {
    const { code, stdout, stderr } = await place.run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('every user of this machine can read arguments\n  give it by a file');
    expect(stderr).not.toContain(text.slice(12));
  }
});
