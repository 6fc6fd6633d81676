import { readFileSync, readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { expect, onTestFinished, test } from 'vitest';
import { bin, newPlace, nodePath, runProgram, StartedProgram } from './started-program.ts';

/** By the name of this machine a caller has come from elsewhere, whoever it is. */
async function statusFromElsewhere(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/api/sessions`, { headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': hostname() } });
  await response.body?.cancel();
  return response.status;
}

test('a server that other machines reach writes its first tokens to files, where nobody sees a terminal, and only once', async () => {
  for (const json of [[], ['--json']]) {
    const place = newPlace();
    const args = ['serve', '--host', '0.0.0.0', '--port', '0', ...json];
    const server = new StartedProgram(args, place);
    await server.until(({ stdout }) => stdout.includes('journal.db-token-admin'));
    const folder = join(place.folder, 'state/shannon-dash');
    const url = /http:\/\/[\d.:]+/.exec(server.stdout)?.[0] ?? '';
    for (const name of ['viewer', 'operator', 'admin']) {
      const path = join(folder, `journal.db-token-${name}`);
      expect(server.stdout).toContain(path);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const token = readFileSync(path, 'utf8').trim();
      await expect.poll(() => statusFromElsewhere(url, token)).toBe(200);
      expect(server.stdout + server.stderr).not.toContain(token.slice(12));
    }
    server.child.kill('SIGTERM');
    await server.ended;
    const before = readdirSync(folder).filter((name) => name.includes('token-'));
    const again = new StartedProgram(args, place);
    await again.until(({ stdout }) => stdout.includes('\n'));
    again.child.kill('SIGTERM');
    const { stdout } = await again.ended;
    // Later starts recall where they are, and make no others.
    for (const name of ['viewer', 'operator', 'admin']) expect(stdout).toContain(`journal.db-token-${name}`);
    expect(readdirSync(folder).filter((name) => name.includes('token-'))).toEqual(before);
    expect(await runProgram(['token', 'revoke', 'viewer'], place)).toMatchObject({ code: 0 });
    const third = new StartedProgram(args, place);
    await third.until(({ stdout: told }) => told.includes('\n'));
    third.child.kill('SIGTERM');
    const told = (await third.ended).stdout;
    expect(told).not.toContain('journal.db-token-viewer');
    expect(told).toContain('journal.db-token-operator');
  }
});

test('on a terminal it shows three lines to paste, which work, and leaves no file with a token', async () => {
  const place = newPlace();
  const { folder, env } = place;
  const pty = spawn(nodePath, [bin, 'serve', '--host', '0.0.0.0', '--port', '0'], { cols: 200, rows: 30, cwd: folder, env });
  onTestFinished(() => pty.kill('SIGKILL'));
  let output = '';
  pty.onData((text) => (output += text));
  await expect.poll(() => output, { timeout: 10_000 }).toMatch(/TOKEN=sd_\w+ shannon-dash stats\r\n/);
  const lines = [...output.matchAll(/^SHANNON_DASH_URL=(\S+) SHANNON_DASH_TOKEN=(sd_\w+) shannon-dash (\w+)/gm)];
  expect(lines.map(([, , , command]) => command)).toEqual(['watch', 'watch', 'stats']);
  const port = /shannon-dash at http:\/\/127.0.0.1:(\d+)/.exec(output)?.[1];
  expect(output).toMatch(new RegExp(`others +http://[^ ]+:${port} from other machines`));
  for (const [, url = '', token = ''] of lines) {
    expect(url).toContain(`:${port}`);
    await expect.poll(() => statusFromElsewhere(`http://127.0.0.1:${port}`, token)).toBe(200);
  }
  expect(readdirSync(join(folder, 'state/shannon-dash')).filter((name) => name.includes('token-'))).toEqual([]);
});

test('a server on loopback makes none', async () => {
  const place = newPlace();
  const server = new StartedProgram(['serve', '--port', '0'], place);
  await server.until(({ stdout }) => stdout.includes('next'));
  expect(server.stdout).not.toContain('its token');
  expect(readdirSync(join(place.folder, 'state/shannon-dash')).filter((name) => name.includes('token'))).toEqual([]);
});
