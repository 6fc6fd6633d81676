import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { http } from '../helpers/start-server.ts';
import { newPlace, runProgram, StartedProgram, type Place } from './started-program.ts';

/** A server of the program on a journal in the place, and its ready line. */
async function serveOn(place: Place, journal: string, ...args: string[]): Promise<{ server: StartedProgram; url: string; pid: number }> {
  const server = new StartedProgram(['serve', '--port', '0', '--json', '--journal', journal, ...args], place);
  await server.until(({ stdout }) => stdout.includes('\n'));
  return { server, ...(JSON.parse(server.stdout) as { url: string; pid: number }) };
}

const step = (n: number) => ({ type: 'test:step', data: { n } });

test(
  'serve names who has its journal, says what a damaged one lost, and starts on it with --accept-loss only; run starts its program all the same',
  { timeout: 120_000 },
  async () => {
    const place = newPlace();
    const journal = join(place.folder, 'j.db');
    const first = await serveOn(place, journal);
    for (const n of [1, 2, 3]) await http('POST', `${first.url}/api/sessions/s/events`, step(n));
    const second = await runProgram(['serve', '--port', '0', '--journal', journal], place);
    expect(second.code).not.toBe(0);
    expect(second.stderr).toContain(`another server has it open (process ${first.pid}, ${first.url})`);
    expect(second.stderr).toContain(`shannon-dash stats --url ${first.url}`);

    first.server.child.kill('SIGKILL');
    await first.server.ended;
    // A commit whose bytes changed: its checksum is another one.
    appendFileSync(`${journal}-log`, '{"session_id":"s","seq":4}\n#1 99\n');
    const damaged = readFileSync(`${journal}-log`, 'utf8');
    const refused = await runProgram(['serve', '--port', '0', '--journal', journal], place);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('1 commit is damaged in the log of commits');
    expect(refused.stderr).toContain('--accept-loss');
    expect(readFileSync(`${journal}-log`, 'utf8')).toBe(damaged);

    const run = await runProgram(['run', '--no-files', '--', 'echo', 'started'], {
      ...place,
      env: { ...place.env, SHANNON_DASH_JOURNAL: journal, SHANNON_DASH_URL: 'http://127.0.0.1:18931' },
    });
    expect(run.stdout).toBe('started\n');
    expect(run.stderr).toContain('The journal was opened with a loss: 1 commit is damaged');
    expect(readdirSync(place.folder).filter((name) => name.startsWith('j.db.damaged-')).length).toBeGreaterThan(0);

    // The server that it started ends a while after it.
    await expect.poll(() => existsSync(`${journal}-log`), { timeout: 60_000 }).toBe(false);

    const again = await serveOn(place, journal, '--accept-loss');
    const { body } = await http<{ events: { type: string }[] }>('GET', `${again.url}/api/sessions/s/events`);
    expect(body.events.map(({ type }) => type)).toEqual(['test:step', 'test:step', 'test:step']);
    again.server.child.kill('SIGTERM');
    await again.server.ended;
    expect(existsSync(`${journal}-log`)).toBe(false);
  },
);
