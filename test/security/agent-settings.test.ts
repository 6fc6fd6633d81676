import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callProgram } from '../cli/called-program.ts';
import { newPlace, runProgram, serve } from '../cli/started-program.ts';
import { http } from '../helpers/start-server.ts';

const agents = ['claude-code', 'codex', 'gemini', 'cursor', 'opencode'];

test('a token goes into no settings of an agent: they name its variable', async () => {
  const place = newPlace({ SHANNON_DASH_TOKEN: 'sd_secret_0123456789' });
  for (const agent of agents)
    expect(await callProgram(['hook', 'install', agent, '--strict'], place)).toMatchObject({ code: 0, stderr: '' });
  const texts = readdirSync(place.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('compiled'))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
  expect(texts.length).toBeGreaterThanOrEqual(agents.length);
  expect(texts.filter((text) => text.includes('sd_secret'))).toEqual([]);
  expect(texts.filter((text) => text.includes('SHANNON_DASH_TOKEN')).length).toBeGreaterThan(0);
});

test('of the secrets in settings there is no second copy: what undoes an installation holds only what it took out', async () => {
  const place = newPlace();
  const path = join(place.folder, '.claude/settings.json');
  await callProgram(['hook', 'install', 'claude-code'], place);
  writeFileSync(path, '{\n  "env": {"KEY": "sk-secret"},\n  "hooks": {}\n}\n', { mode: 0o600 });
  await callProgram(['hook', 'install', 'claude-code'], place);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const folder = join(String(place.env['XDG_STATE_HOME']), 'shannon-dash/hooks');
  const records = readdirSync(folder).map((name) => join(folder, name));
  expect(records).toHaveLength(1);
  for (const record of records) {
    expect(statSync(record).mode & 0o077).toBe(0);
    expect(readFileSync(record, 'utf8')).not.toContain('sk-secret');
  }
  await callProgram(['hook', 'uninstall', 'claude-code'], place);
  expect(readFileSync(path, 'utf8')).toBe('{\n  "env": {"KEY": "sk-secret"},\n  "hooks": {}\n}\n');
});

test('a folder that was cloned leads the hooks of an agent nowhere, neither when they are installed nor when they are called', async () => {
  const theirs = await serve('--journal', 'memory');
  const place = newPlace();
  writeFileSync(join(place.folder, '.shannon-dash.json'), JSON.stringify({ url: theirs.url }));
  for (const agent of agents) await callProgram(['hook', 'install', agent], place);
  expect(readFileSync(join(place.folder, '.claude/settings.json'), 'utf8')).not.toContain(theirs.url);
  const begun = { session_id: 'mine', hook_event_name: 'SessionStart', source: 'startup', cwd: '/' };
  // The user's own port, so that nothing else of this machine is asked.
  const own = { ...place, env: { ...place.env, SHANNON_DASH_PORT: '1' } };
  expect(await runProgram(['hook', 'claude-code'], own, JSON.stringify(begun))).toMatchObject({ code: 0, stdout: '' });
  expect((await http('GET', `${theirs.url}/api/sessions`)).body).toMatchObject({ sessions: [] });
});

describe('a link in a folder that was cloned', () => {
  const files = {
    'claude-code': '.claude/settings.local.json',
    codex: '.codex/hooks.json',
    gemini: '.gemini/settings.json',
    cursor: '.cursor/hooks.json',
    opencode: '.opencode/plugins/shannon-dash.js',
  };

  test.each(Object.entries(files))(
    'leads no file of %s out of it: neither a link of the file nor one of its folder',
    async (agent, file) => {
      const home = newPlace();
      const outside = join(home.folder, 'outside');
      mkdirSync(outside);
      for (const kind of ['file', 'missing', 'folder']) {
        const project = { ...home, folder: join(home.folder, kind) };
        const path = join(project.folder, file);
        mkdirSync(kind === 'folder' ? project.folder : dirname(path), { recursive: true });
        if (kind === 'folder') symlinkSync(outside, join(project.folder, file.slice(0, file.indexOf('/'))));
        else symlinkSync(join(outside, kind), path);
        writeFileSync(join(outside, 'file'), '{"mine":1}');
        const { code, stderr } = await callProgram(['hook', 'install', agent, '--project'], project);
        expect(code, stderr).not.toBe(0);
        expect(stderr).toContain(file);
      }
      expect(readdirSync(outside)).toEqual(['file']);
      expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('{"mine":1}');
    },
  );

  test('may lead elsewhere in it', async () => {
    const home = newPlace();
    const project = { ...home, folder: join(home.folder, 'project') };
    mkdirSync(join(project.folder, '.claude'), { recursive: true });
    writeFileSync(join(project.folder, 'mine.json'), '{}');
    symlinkSync('../mine.json', join(project.folder, '.claude/settings.local.json'));
    expect(await callProgram(['hook', 'install', 'claude-code', '--project'], project)).toMatchObject({ code: 0 });
    expect(readFileSync(join(project.folder, 'mine.json'), 'utf8')).toContain('api/hooks/claude-code');
  });
});

test('settings that are nested without end are left as they are, with a sentence', async () => {
  const place = newPlace();
  mkdirSync(join(place.folder, '.claude'));
  const text = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  writeFileSync(join(place.folder, '.claude/settings.json'), text);
  // The depth that is too much is that of its own stack.
  const { code, stderr } = await runProgram(['hook', 'install', 'claude-code'], place);
  expect(code).not.toBe(0);
  expect(stderr).toContain('it is nested too deep');
  expect(readFileSync(join(place.folder, '.claude/settings.json'), 'utf8')).toBe(text);
});
