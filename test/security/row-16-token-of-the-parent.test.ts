import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { SessionState } from '../../src/core/protocol/session-state.ts';
import { readProcTable } from '../../src/run/tree/process-table.ts';
import { createToken } from '../../src/server/access/tokens/token-changes.ts';
import { newWork, until } from '../cli/run-place.ts';
import { StartedProgram } from '../cli/started-program.ts';
import { http, startServer } from '../helpers/start-server.ts';

/** A server that asks everybody for a token, what it logs, and a place to run programs in. */
async function startGuarded() {
  const folder = mkdtempSync(join(tmpdir(), 'shannon-dash-parent-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'tokens');
  const ci = createToken(tokenFile, { name: 'ci', role: 'orchestrator', sessions: ['ci-*'] }).text;
  const boss = createToken(tokenFile, { name: 'boss', role: 'admin' }).text;
  let logged = '';
  const log = pino({ level: 'debug' }, { write: (line: string) => void (logged += line) });
  const server = await startServer({ tokenFile, asksEverybody: true, log });
  const { work, env } = newWork();
  const ask = async <Body>(path: string, body?: unknown) =>
    (await http<Body>(body === undefined ? 'GET' : 'POST', `${server.url}/api/sessions${path}`, body, { authorization: `Bearer ${boss}` }))
      .body;
  const start = (variables: NodeJS.ProcessEnv, ...args: string[]) =>
    new StartedProgram(args, { folder: work, env: { ...env, SHANNON_DASH_URL: server.url, ...variables } });
  return { server, ci, boss, work, ask, start, log: () => logged };
}

/** What a test's script does from below `run`: it keeps what it was given, asks a person and publishes; with `whole`, all that a script may do. */
const scriptOf = (whole: string) => `
env > env.txt
tr '\\0' '\\n' < /proc/$$/cmdline > argv.txt
${whole}
shannon-dash decide "Go on?" --id go --option yes --option no > choice.txt || exit 14
shannon-dash emit - <<'END' || exit 16
{"type": "skill:completed", "data": {"skill_name": "migrate"}}
END
`;
const whole = `shannon-dash emit skill:started --data '{"skill_name": "migrate"}' || exit 11
shannon-dash gate || exit 12
shannon-dash checkpoint --label before || exit 13
shannon-dash send HALT && exit 15`;

/** The processes below another one, that one left out. */
function descendants(pid: number): number[] {
  const table = readProcTable();
  const below = (parent: number): number[] => table.filter(({ ppid }) => ppid === parent).flatMap((row) => [row.pid, ...below(row.pid)]);
  return below(pid);
}

/** What the system tells of a process; nothing of one that has gone. */
function toldOf(pid: number, what: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1');
  } catch {
    return '';
  }
}

test.each(['variable', 'file that a variable names', 'file that a flag names'])(
  "the program of a run works with a token of its own; the run's token, given as a %s, reaches neither it nor the journal nor the log",
  async (way) => {
    const { server, ci, boss, work, ask, start, log } = await startGuarded();
    const file = join(server.folder, 'ci-token');
    writeFileSync(file, ci, { mode: 0o600 });
    const variables = {
      variable: { SHANNON_DASH_TOKEN: ci },
      'file that a variable names': { SHANNON_DASH_TOKEN_FILE: file },
      'file that a flag names': {},
    }[way];
    const flags = way === 'file that a flag names' ? ['--token-file', file] : [];
    // What its own token is good for does not depend on the way of the run's.
    const isWhole = way === 'variable';
    execFileSync('git', ['init', '-q', '.'], { cwd: work });
    const run = start(
      variables ?? {},
      'run',
      '-s',
      'ci-1',
      '--checkpoints',
      'git',
      ...flags,
      '--',
      'sh',
      '-c',
      scriptOf(isWhole ? whole : ''),
    );
    await until('it asks', async () => (await ask<SessionState>('/ci-1')).decisions?.length === 1);
    const below = descendants(run.child.pid ?? 0);
    expect(below.filter((pid) => toldOf(pid, 'environ').includes('SHANNON_DASH_TOKEN=sd_run_')).length).toBeGreaterThanOrEqual(2);
    for (const pid of below) {
      expect(toldOf(pid, 'environ')).not.toContain(ci);
      expect(toldOf(pid, 'environ')).not.toContain(file);
    }
    // Arguments are read by every user of the machine.
    expect(toldOf(run.child.pid ?? 0, 'cmdline')).toContain('run');
    for (const pid of [run.child.pid ?? 0, ...below]) expect(toldOf(pid, 'cmdline')).not.toMatch(/sd_/);
    await ask('/ci-1/commands', { type: 'DECISION', decision_id: 'go', choice: 'yes' });
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(readFileSync(join(work, 'choice.txt'), 'utf8')).toBe('yes\n');
    const child = /^SHANNON_DASH_TOKEN=(.*)$/m.exec(readFileSync(join(work, 'env.txt'), 'utf8'))?.[1] ?? '';
    expect(child).toMatch(/^sd_run_/);
    const { events } = await ask<{ events: { type: string }[] }>('/ci-1/events');
    const types = events.map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining([...(isWhole ? ['skill:started', 'checkpoint:saved'] : []), 'decision:made', 'skill:completed']),
    );
    // It has ended with the run.
    expect(await http('GET', `${server.url}/api/sessions/ci-1`, undefined, { authorization: `Bearer ${child}` })).toMatchObject({
      status: 401,
    });
    await server.close();
    const files = readdirSync(server.folder).filter((name) => name.startsWith('journal'));
    expect(files.length).toBeGreaterThan(0);
    const kept = [...files.map((name) => readFileSync(join(server.folder, name), 'latin1')), log()];
    expect(kept.some((text) => text.includes('skill:completed'))).toBe(true);
    for (const text of kept) for (const secret of [ci, boss, child]) expect(text).not.toContain(secret);
    for (const name of ['env.txt', 'argv.txt']) expect(readFileSync(join(work, name), 'utf8')).not.toContain(ci);
  },
);

test('without tokens the program of a run finds none', async () => {
  const server = await startServer();
  const { work, env } = newWork();
  const run = new StartedProgram(['run', '-s', 's', '--', 'sh', '-c', 'env > env.txt; shannon-dash emit test:step'], {
    folder: work,
    env: { ...env, SHANNON_DASH_URL: server.url },
  });
  expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
  const text = readFileSync(join(work, 'env.txt'), 'utf8');
  expect(text).toContain('SHANNON_DASH_SESSION=s');
  expect(text).not.toContain('SHANNON_DASH_TOKEN');
});

test('a run whose token does not reach the session says so', async () => {
  const { ci, start } = await startGuarded();
  const run = start({ SHANNON_DASH_TOKEN: ci }, 'run', '-s', 'other', '--', 'true');
  expect(await run.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('the token does not reach a session named other') });
});

test('a run inside a run does not pass for the outer one: its program runs all the same, and with a token of its own it is a session', async () => {
  const { ci, work, ask, start } = await startGuarded();
  writeFileSync(join(work, 'token'), ci, { mode: 0o600 });
  const inner = `shannon-dash run -- sh -c 'echo "$SHANNON_DASH_TOKEN" > inner.txt; exit 7'; test $? = 7 || exit 21
shannon-dash run -s ci-inner --token-file token -- sh -c 'shannon-dash emit test:step' || exit 22`;
  const run = start({ SHANNON_DASH_TOKEN: ci }, 'run', '-s', 'ci-outer', '--', 'sh', '-c', inner);
  expect(await run.ended).toMatchObject({ code: 0 });
  expect(readFileSync(join(work, 'inner.txt'), 'utf8')).toBe('\n');
  expect(run.stderr).toContain('a token is needed');
  const { sessions } = await ask<{ sessions: { session_id: string; status: string }[] }>('');
  expect(sessions.map(({ session_id }) => session_id)).toEqual(['ci-outer', 'ci-inner']);
});

test("with a token that the server has left for its own user's programs, the program of a run gets one of its own too", async () => {
  const { work, env } = newWork();
  const serve = new StartedProgram(['serve', '--auth', '--port', '0', '--journal', join(work, 'journal.db'), '--json'], {
    folder: work,
    env,
  });
  await serve.until(({ stdout, stderr }) => /http:\/\/127\.0\.0\.1:\d+/.test(stdout + stderr));
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(serve.stdout + serve.stderr) ?? [];
  const run = new StartedProgram(['run', '-s', 's', '--', 'sh', '-c', 'shannon-dash emit test:step && echo "$SHANNON_DASH_TOKEN"'], {
    folder: work,
    env: { ...env, SHANNON_DASH_URL: url },
  });
  expect(await run.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sd_run_\w+\n$/) });
});
