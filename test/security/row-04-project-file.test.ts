import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newPlace, runProgram, type Place } from '../cli/started-program.ts';
import { freePort } from '../helpers/free-port.ts';

const settings = (url: string, port: number) => ({
  url,
  port,
  session: 'theirs',
  host: '0.0.0.0',
  cors_origins: ['*'],
  journal: 'theirs.db',
  skills: ['theirs'],
  client: 'the boss',
});

/** The variables of this program that a test sets. */
const withVariables = (place: Place, variables: NodeJS.ProcessEnv): Place => ({ ...place, env: { ...place.env, ...variables } });

describe('rows 4 and 5: a project file that redirects `run`, or opens the server', () => {
  test('nothing of it is used until it is trusted, and nothing again once it has changed', async () => {
    const elsewhere = await listening(createServer((request, response) => response.end(`{"asked":"${asked.push(request.url ?? '')}"}`)));
    const asked: string[] = [];
    const place = newPlace();
    const file = join(place.folder, '.shannon-dash.json');
    const port = await freePort();
    writeFileSync(file, JSON.stringify(settings(elsewhere, port)));

    // The program asks the server that `run` has started, as a page of a foreign origin would.
    const script = `fetch(process.env.SHANNON_DASH_URL + '/api/sessions', { headers: { origin: 'http://evil.example' } })
      .then(async (answer) => console.log(process.env.SHANNON_DASH_URL, answer.status))`;
    const run = await runProgram(['run', '--no-files', '--', process.execPath, '-e', script], place);
    expect(run).toMatchObject({ code: 0, stdout: `http://127.0.0.1:${port} 403\n` });
    expect(run.stderr).toBe(
      `warning: ${file} is not trusted: url, host, cors_origins, journal, skills, client left out; look at it, then: shannon-dash trust\n`,
    );
    expect(existsSync(join(place.folder, 'theirs.db'))).toBe(false);
    expect(asked).toEqual([]);

    // What the user says himself needs no word about the file.
    const own = withVariables(place, { SHANNON_DASH_URL: 'http://127.0.0.1:1', SHANNON_DASH_JOURNAL: 'memory', SHANNON_DASH_CLIENT: 'me' });
    const said = await runProgram(
      ['stats'],
      withVariables(own, { SHANNON_DASH_HOST: '127.0.0.1', SHANNON_DASH_SKILLS: 's', SHANNON_DASH_CORS_ORIGINS: 'http://a.example' }),
    );
    expect(said).toMatchObject({ code: 6, stderr: expect.not.stringContaining('trusted') as string });

    const trusted = await runProgram(['trust'], place);
    expect(trusted).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^trusted as it is now: .*\n {2}url: "http:/) as string,
    });
    await runProgram(['sessions'], place);
    expect(asked).toEqual(['/api/sessions']);
    const listed = await runProgram(['trust', '--list', '--json'], place);
    expect(JSON.parse(listed.stdout)).toMatchObject({ trusted: [{ path: file, unchanged: true }] });

    writeFileSync(file, JSON.stringify({ ...settings(elsewhere, 1), session: 'other' }));
    const changed = await runProgram(['ping', '-c', '1'], place);
    expect(changed).toMatchObject({ code: 6, stderr: expect.stringContaining('is not trusted: url, host') as string });
    expect((await runProgram(['trust', '--list'], place)).stdout).toContain(`${file}  changed since`);
    expect((await runProgram(['trust', '--revoke'], place)).stdout).toBe(`no longer trusted: ${file}\n`);
    expect((await runProgram(['trust', '--list', '--json'], place)).stdout).toBe('{"v":1,"trusted":[]}\n');
    expect(asked).toEqual(['/api/sessions']);
  });
});

describe('row 23: a project file that is none', () => {
  const kinds: [what: string, make: (path: string) => void, says: string][] = [
    ['a link to a device', (path) => symlinkSync('/dev/zero', path), 'it is a link'],
    ['a link to a file of the user', (path) => symlinkSync('/etc/passwd', path), 'it is a link'],
    ['a named pipe', (path) => execFileSync('mkfifo', [path]), 'it is not a regular file'],
    ['a folder', (path) => mkdirSync(path), 'it is not a regular file'],
    ['a huge file', (path) => writeFileSync(path, ' '.repeat(64 * 1024 + 1)), 'it is larger than 64 KiB'],
  ];
  test.each(kinds)('%s is refused in one line, and holds up nothing', async (_, make, says) => {
    const place = newPlace({ SHANNON_DASH_PORT: '1' });
    const path = join(place.folder, '.shannon-dash.json');
    make(path);
    const { code, stderr } = await runProgram(['ping', '-c', '1'], place);
    expect(stderr.split('\n')[0]).toBe(`warning: ${path} is not read: ${says}`);
    expect(code).toBe(6);
  });

  test.runIf(process.getuid?.() === 0)('a file of another user is refused, and folders of another user are not searched', async () => {
    const place = newPlace({ SHANNON_DASH_PORT: '1' });
    const path = join(place.folder, '.shannon-dash.json');
    writeFileSync(path, '{"port": 2}');
    chownSync(path, 65_534, 65_534);
    const refused = await runProgram(['ping', '-c', '1'], place);
    expect(refused.stderr).toMatch(/^warning: .*shannon-dash\.json is not read: it belongs to another user \(uid 65534\)\n/);
    const [above, inside] = [join(place.folder, 'above'), join(place.folder, 'above/inside')];
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(above, '.shannon-dash.json'), '{"client": "x"}');
    chownSync(above, 65_534, 65_534);
    const { stderr } = await runProgram(['ping', '-c', '1'], { ...place, folder: inside });
    expect(stderr).toMatch(/^error: cannot reach/);
  });

  test('what it holds is never shown', async () => {
    const place = newPlace();
    const path = join(place.folder, '.shannon-dash.json');
    for (const content of ['hunter2', '"hunter2"', '{"port": "hunter2"}', '{"url": {"hunter2": 1}}']) {
      rmSync(path, { force: true });
      writeFileSync(path, content);
      const { code, stderr } = await runProgram(['stats', '-v'], place);
      expect([code, stderr]).toEqual([2, expect.not.stringContaining('hunter2')]);
      expect(stderr).toContain(path);
    }
  });
});

async function listening(server: Server): Promise<string> {
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
