import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WatchedProgram } from '../dashboard/watched-program.ts';
import { freePort } from '../helpers/free-port.ts';
import { newPlace, runProgram, serve, type Place } from './started-program.ts';

interface Finding {
  about: string;
  state: 'ok' | 'warning' | 'problem';
  text: string;
  next: string | null;
}

async function examine(
  place: Place,
  ...args: string[]
): Promise<{ code: number | null; of: (about: string) => Finding | undefined; all: Finding[] }> {
  const { code, stdout } = await runProgram(['doctor', '--json', ...args], place);
  const { findings: all } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, all, of: (about) => all.find((each) => each.about === about) };
}

test('doctor has nothing to say against a new machine, nor against a server that is well and has the journal', async () => {
  const place = newPlace({ SHANNON_DASH_URL: `http://127.0.0.1:${await freePort()}` });
  const fresh = await examine(place);
  expect(fresh.code).toBe(0);
  expect(fresh.all.map(({ about }) => about)).toEqual([
    'node',
    'settings',
    'server',
    'clock',
    'journal',
    'disk',
    'tokens',
    'terminal',
    'git',
    'hooks',
  ]);
  expect(fresh.of('server')?.text).toContain('none runs at');
  expect(fresh.of('journal')?.text).toContain('is made when a server starts');
  const served = await serve();
  const { stdout, code } = await served.run('doctor', '--json');
  expect(code).toBe(0);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  expect(findings.find(({ about }) => about === 'server')?.text).toContain(`${served.url} is well`);
  expect(findings.find(({ about }) => about === 'journal')?.text).toContain(`which ${served.url} has open`);
});

test('doctor finds a port that another program has, a damaged journal, tokens that others can read and broken hooks, each with a next step', async () => {
  const foreign = createServer((_request, response) => response.end('hello'));
  await once(foreign.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void foreign.close());
  const { port } = foreign.address() as AddressInfo;
  const place = newPlace({ SHANNON_DASH_URL: `http://127.0.0.1:${port}`, LC_ALL: 'C' });
  const journal = join(place.folder, 'j.db');
  writeFileSync(journal, 'this is no journal'.repeat(1_000), { mode: 0o600 });
  writeFileSync(`${journal}-tokens`, '{"version":1,"tokens":[]}');
  chmodSync(`${journal}-tokens`, 0o644);
  mkdirSync(join(place.folder, '.claude'));
  writeFileSync(join(place.folder, '.claude', 'settings.json'), '{"hooks": [');
  const { code, of, all } = await examine(place, '--journal', journal);
  expect(code).toBe(1);
  for (const about of ['server', 'journal', 'tokens', 'hooks']) expect(of(about)).toMatchObject({ about, state: 'problem' });
  expect(of('server')?.text).toContain(`port ${port} belongs to`);
  expect(of('tokens')?.next).toContain(`chmod 600 ${journal}-tokens`);
  for (const { state, next } of all) if (state !== 'ok') expect(next).not.toBeNull();

  // All of that is one screen.
  const terminal = new WatchedProgram(['doctor', '--journal', journal], {
    columns: 80,
    rows: 24,
    environment: place.env as Record<string, string>,
  });
  expect(await terminal.ended()).toBe(1);
  const rows = terminal.rows();
  expect(rows[0]).toMatch(/^ok {7}node /);
  expect(rows.at(-1)).toBe('');
  expect(rows.filter((row) => row.startsWith('PROBLEM'))).toHaveLength(4);
  expect(rows.join('\n')).toMatch(/^warning {2}terminal {2}the locale is C/m);
});
