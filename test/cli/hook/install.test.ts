import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { callProgram } from '../called-program.ts';
import { bin, newPlace, nodePath, runProgram, type End, type Place } from '../started-program.ts';

const run = promisify(execFile);

interface Handler {
  type?: string;
  url?: string;
  command?: string;
  args?: string[];
  timeout: number;
  headers?: Record<string, string>;
  allowedEnvVars?: string[];
  onFailure?: string;
  failClosed?: boolean;
}

type Settings = Record<string, unknown> & { hooks: Record<string, (Handler & { hooks?: Handler[] })[]> };

/** Where each agent looks, below the home and below the folder that it works in. */
const files = [
  ['claude-code', '.claude/settings.json', '.claude/settings.local.json'],
  ['codex', '.codex/hooks.json', '.codex/hooks.json'],
  ['gemini', '.gemini/settings.json', '.gemini/settings.json'],
  ['cursor', '.cursor/hooks.json', '.cursor/hooks.json'],
] as const;
const [[, claudeFile]] = files;

/** A home, and beside it a folder to work in. */
function newHome(): Place & { work: Place; file: (name: string) => string; hook: (...args: string[]) => Promise<End> } {
  const place = newPlace();
  const folder = join(place.folder, 'work');
  mkdirSync(folder);
  const work = { ...place, folder };
  return { ...place, work, file: (name) => join(place.folder, name), hook: (...args) => callProgram(['hook', ...args], work) };
}

function write(path: string, text: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const settingsIn = (path: string): Settings => parse(readFileSync(path, 'utf8')) as Settings;

describe.each(files)('%s', (agent, userFile, projectFile) => {
  test('install makes the file, with time-outs; uninstall leaves nothing behind', async () => {
    const { folder, file, work, hook: called } = newHome();
    // The real program for the agent whose settings are written in two ways.
    const hook: typeof called = agent === 'claude-code' ? (...args) => runProgram(['hook', ...args], work) : called;
    const { code, stdout, stderr } = await hook('install', agent);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`written to ${file(userFile)}\n`);
    expect(stdout).toContain('shannon-dash watch');
    const handlers = Object.values(settingsIn(file(userFile)).hooks).flatMap((entries) =>
      entries.flatMap((entry) => entry.hooks ?? [entry]),
    );
    expect(handlers.length).toBeGreaterThan(6);
    const second = agent === 'gemini' ? 1_000 : 1;
    for (const { timeout, command, args } of handlers) {
      expect(timeout).toBeGreaterThanOrEqual(3 * second);
      // What passes it on gives up before its agent does.
      const [, own] = / --timeout (\d+)s/.exec([command, ...(args ?? [])].join(' ')) ?? [];
      if (command !== undefined) expect(Number(own) * second).toBeLessThan(timeout);
    }
    const starting = handlers.filter(({ command, args }) => [command, ...(args ?? [])].join(' ').includes('--start'));
    expect(starting).toHaveLength(1);

    expect((await hook('status', agent, '--json')).stdout).toContain(JSON.stringify(file(userFile)));
    expect((await hook('uninstall', agent)).stdout).toContain(`removed ${file(userFile)}`);
    expect(existsSync(join(folder, dirname(userFile)))).toBe(false);
    expect((await hook('uninstall', agent)).stdout).toContain('was not in');
    expect((await hook('status', agent)).stdout).toContain('not installed');
  });

  test('with --project they stand in the folder, and go from there', async () => {
    const { file, hook } = newHome();
    await hook('install', agent, '--project');
    expect(existsSync(file(join('work', projectFile)))).toBe(true);
    expect(existsSync(file(userFile))).toBe(false);
    expect((await hook('status', agent)).stdout).toContain('installed for this project');
    await hook('uninstall', agent, '--project');
    expect(readdirSync(file('work'))).toEqual([]);
  });
});

/** Whose entries are groups of handlers, and whose are the handlers themselves. */
describe.each(files.filter(([agent]) => agent === 'claude-code' || agent === 'cursor'))(
  '%s, where there are settings already',
  (agent, userFile) => {
    test.each([
      ['with tabs and no end of line', '{\n\t"other": [1, 2],\n\t"hooks": {"Stop": [ ]}\n}'],
      ['as one line', '{"other":{"deep":{}},"hooks":{}}'],
      ['with carriage returns', '{\r\n    "other": "ü \\u00fc",\r\n    "hooks": {\r\n    }\r\n}\r\n'],
      ['with a byte order mark', '\uFEFF{\n  "other": true\n}\n'],
      ['that is empty', ''],
      ['of white space', ' \n\n'],
    ])('a file %s is as it was after uninstall, byte for byte', async (_, before) => {
      const { file, hook } = newHome();
      write(file(userFile), before);
      const installed = await hook('install', agent, '--strict');
      expect(installed).toMatchObject({ code: 0, stderr: '' });
      expect(Object.keys(settingsIn(file(userFile)).hooks).length).toBeGreaterThan(6);
      await hook('uninstall', agent);
      expect(readFileSync(file(userFile), 'utf8')).toBe(before);
    });

    test('a second install changes nothing; one with other options takes the place of the first', async () => {
      const { file, hook } = newHome();
      const before = '{\n  "hooks": { "Mine": [{ "command": "mine", "hooks": [] }] }\n}\n';
      write(file(userFile), before);
      await hook('install', agent);
      const first = readFileSync(file(userFile), 'utf8');
      expect((await hook('install', agent)).stdout).toContain('stands already in');
      expect(readFileSync(file(userFile), 'utf8')).toBe(first);
      await hook('install', agent, '--url', 'http://127.0.0.1:9000', '--checkpoints', 'git');
      const second = readFileSync(file(userFile), 'utf8');
      expect(second).toContain('127.0.0.1:9000');
      expect(second.match(/git/g)?.length).toBeGreaterThan(6);
      await hook('install', agent);
      expect(readFileSync(file(userFile), 'utf8')).toBe(first);
      await hook('uninstall', agent);
      expect(readFileSync(file(userFile), 'utf8')).toBe(before);
    });

    test('what somebody has changed meanwhile stays; only our hooks go', async () => {
      const { file, hook } = newHome();
      write(file(userFile), '{\n  "first": 1\n}\n');
      await hook('install', agent);
      write(file(userFile), readFileSync(file(userFile), 'utf8').replace('"first": 1', '"first": 2,\n  "second": 3'));
      await hook('install', agent);
      await hook('uninstall', agent);
      expect(settingsIn(file(userFile))).toMatchObject({ first: 2, second: 3 });
      expect(readFileSync(file(userFile), 'utf8')).not.toContain('shannon-dash');
    });

    test('a file that was made, and that somebody has added to, stays without our hooks', async () => {
      const { file, hook } = newHome();
      await hook('install', agent);
      write(file(userFile), readFileSync(file(userFile), 'utf8').replace('{', '{ "mine": 1,'));
      await hook('uninstall', agent);
      expect(settingsIn(file(userFile))).toMatchObject({ mine: 1 });
      expect(readFileSync(file(userFile), 'utf8')).not.toContain('shannon-dash');
    });

    test('--dry-run shows the change as a diff, and makes none', async () => {
      const { folder, file, hook } = newHome();
      const made = await hook('install', agent, '--dry-run');
      expect(made.stdout).toMatch(/^--- \/dev\/null\n\+\+\+ .*\n@@ -0,0 \+1,\d+ @@\n\+\{\n/);
      expect(existsSync(join(folder, dirname(userFile)))).toBe(false);
      write(file(userFile), '{"mine": 1}\n');
      const { stdout } = await hook('install', agent, '--dry-run', '--json');
      const { diff, changed, dry_run } = JSON.parse(stdout) as { diff: string; changed: boolean; dry_run: boolean };
      expect({ changed, dry_run }).toEqual({ changed: true, dry_run: true });
      expect(diff).toContain(`+++ ${file(userFile)}\n`);
      expect(readFileSync(file(userFile), 'utf8')).toBe('{"mine": 1}\n');
      await hook('install', agent);
      expect((await hook('uninstall', agent, '--dry-run')).stdout).toMatch(/^-.*shannon-dash/m);
      expect((await hook('install', agent, '--dry-run')).stdout).toContain('nothing to change');
    });

    test.each([
      ['{"a": 1', /is not as .* reads it: line 1: /],
      ['{"hooks": []}', /"hooks" must be an object/],
      ['{"hooks": {"Stop": 1, "AfterAgent": 1, "stop": 1}}', /must be a list/],
      ['[1]', /must hold an object/],
    ])('a file with %s is refused, and stays', async (text, sentence) => {
      const { file, hook } = newHome();
      write(file(userFile), text);
      const { code, stderr } = await hook('install', agent);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(sentence) as string });
      expect(readFileSync(file(userFile), 'utf8')).toBe(text);
    });
  },
);

describe('the files of settings', () => {
  test('keep their mode, and the links that lead to them', async () => {
    const { file, hook } = newHome();
    const target = file('dotfiles/claude.json');
    write(target, '{}\n');
    chmodSync(target, 0o640);
    mkdirSync(file('.claude'));
    symlinkSync('../dotfiles/claude.json', file(claudeFile));
    await hook('install', 'claude-code');
    expect(lstatSync(file(claudeFile)).isSymbolicLink()).toBe(true);
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(readFileSync(target, 'utf8')).toContain('/api/hooks/claude-code');
    expect(readdirSync(dirname(target))).toEqual(['claude.json']);
    await hook('uninstall', 'claude-code');
    expect(readFileSync(target, 'utf8')).toBe('{}\n');
    expect(lstatSync(file(claudeFile)).isSymbolicLink()).toBe(true);
  });

  test('that a link leads to are made where it leads, and removed there', async () => {
    const { file, hook } = newHome();
    mkdirSync(file('.claude'));
    mkdirSync(file('dotfiles'));
    symlinkSync('../dotfiles/claude.json', file(claudeFile));
    await hook('install', 'claude-code');
    expect(existsSync(file('dotfiles/claude.json'))).toBe(true);
    await hook('uninstall', 'claude-code');
    expect(readdirSync(file('dotfiles'))).toEqual([]);
    expect(lstatSync(file(claudeFile)).isSymbolicLink()).toBe(true);
  });

  test('of an agent that reads no comments are refused with one, and say where it is; Gemini CLI reads them', async () => {
    const { file, hook } = newHome();
    const text = '{\n  // mine\n  "a": 1, // why\n}\n';
    for (const [agent, path] of files) {
      write(file(path), text);
      const { code, stderr } = await hook('install', agent);
      if (agent === 'gemini') {
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(readFileSync(file(path), 'utf8')).toContain('  // mine\n  "a": 1, // why\n  "hooks": {\n');
        await hook('uninstall', agent);
      } else {
        expect({ code, stderr }).toEqual({
          code: 2,
          stderr: expect.stringContaining('line 2: a comment, which this agent does not read') as string,
        });
      }
      expect(readFileSync(file(path), 'utf8')).toBe(text);
    }
  });

  test('that are no text, or no file, are refused', async () => {
    const { file, hook } = newHome();
    write(file(claudeFile), Buffer.from([0x7b, 0xff, 0x7d]));
    expect((await hook('install', 'claude-code')).stderr).toContain('is not in UTF-8');
    mkdirSync(file('.codex/hooks.json'), { recursive: true });
    expect((await hook('install', 'codex')).stderr).toContain('is no file');
    mkdirSync(file('.gemini'));
    symlinkSync('settings.json', file('.gemini/settings.json'));
    expect((await hook('install', 'gemini')).stderr).toContain('leads in a circle');
  });

  test('lie where the variables of the agents say', async () => {
    const { work, file } = newHome();
    const variables = { CLAUDE_CONFIG_DIR: file('c'), CODEX_HOME: file('x'), GEMINI_CLI_HOME: file('g'), OPENCODE_CONFIG_DIR: file('o') };
    const place = { ...work, env: { ...work.env, ...variables } };
    for (const [agent, path] of [
      ['claude-code', 'c/settings.json'],
      ['codex', 'x/hooks.json'],
      ['gemini', 'g/.gemini/settings.json'],
      ['opencode', 'o/plugins/shannon-dash.js'],
    ] as const) {
      await callProgram(['hook', 'install', agent], place);
      expect(existsSync(file(path))).toBe(true);
    }
  });
});

describe('what is written', () => {
  test('Claude Code calls the server itself, with what its environment says; only SessionStart is a command, without a shell', async () => {
    const { file, hook } = newHome();
    await hook('install', 'claude-code', '--url', 'http://127.0.0.1:9000');
    const { hooks } = settingsIn(file(claudeFile));
    const handlers = Object.entries(hooks).flatMap(([event, entries]) =>
      entries.flatMap(({ hooks: own = [] }) => own.map((each) => ({ event, ...each }))),
    );
    expect(handlers.filter(({ type }) => type !== 'http').map(({ event }) => event)).toEqual(['SessionStart']);
    const [start] = handlers.filter(({ event }) => event === 'SessionStart');
    expect(existsSync(String(start?.command))).toBe(true);
    expect(start?.args?.slice(1)).toEqual(['hook', 'claude-code', '--url', 'http://127.0.0.1:9000', '--timeout', '25s', '--start']);
    for (const { event, url, headers = {}, allowedEnvVars, onFailure } of handlers.filter(({ type }) => type === 'http')) {
      expect([event, url, onFailure]).toEqual([event, 'http://127.0.0.1:9000/api/hooks/claude-code', undefined]);
      expect(headers['authorization']).toBe('Bearer $SHANNON_DASH_TOKEN');
      // Each variable is named in both places, else Claude Code leaves it empty.
      const used = Object.values(headers).flatMap((value) => [...value.matchAll(/\$(\w+)/g)].map(([, name]) => name));
      expect(new Set(used)).toEqual(new Set(allowedEnvVars));
    }
  });

  test('--strict closes only what an agent waits for: neither the end of a turn nor what has happened already', async () => {
    const { file, hook } = newHome();
    const strictEvents = (path: string, isStrict: (handler: Handler) => boolean) =>
      Object.entries(settingsIn(file(path)).hooks)
        .filter(([, entries]) => entries.some((entry) => (entry.hooks ?? [entry]).some(isStrict)))
        .map(([event]) => event);
    for (const [agent] of files) await hook('install', agent, '--strict');
    expect(strictEvents('.claude/settings.json', ({ onFailure }) => onFailure === 'block')).toEqual([
      'UserPromptSubmit',
      'PreToolUse',
      'PermissionRequest',
    ]);
    const byFlag = ({ command = '' }: Handler) => / --strict/.test(command);
    expect(strictEvents('.codex/hooks.json', byFlag)).toEqual(['UserPromptSubmit', 'PreToolUse', 'PermissionRequest']);
    expect(strictEvents('.gemini/settings.json', byFlag)).toEqual(['BeforeAgent', 'BeforeTool']);
    expect(strictEvents('.cursor/hooks.json', ({ failClosed }) => failClosed === true)).toEqual(['beforeSubmitPrompt', 'preToolUse']);
  });

  test('a Node whose path a shell would take apart is started all the same', async () => {
    const { work, file, env } = newHome();
    const node = file(`no de's`);
    copyFileSync(nodePath, node);
    await run(node, [bin, 'hook', 'install', 'codex', '--url', 'http://127.0.0.1:1'], { env, cwd: work.folder });
    const [entry] = settingsIn(file('.codex/hooks.json')).hooks['Stop'] ?? [];
    const command = String(entry?.hooks?.[0]?.command);
    const { stderr } = await run('sh', ['-c', `echo '{}' | ${command}`], { env, cwd: work.folder });
    expect(stderr).toMatch(/^shannon-dash: codex was not heard \(it goes on without\): http:\/\/127\.0\.0\.1:1 does not answer: .*\n$/);
  });

  test('OpenCode gets a plugin that Node can load, which is removed again; one of somebody else stays', async () => {
    const { file, hook } = newHome();
    const path = file('config/opencode/plugins/shannon-dash.js');
    await hook('install', 'opencode', '--url', 'http://127.0.0.1:9000');
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('"http://127.0.0.1:9000/api/hooks/opencode"');
    const { ShannonDash } = (await import(path)) as { ShannonDash: (input: { directory: string }) => Promise<object> };
    expect(Object.keys(await ShannonDash({ directory: '/' }))).toContain('event');
    expect((await hook('install', 'opencode', '--url', 'http://127.0.0.1:9000')).stdout).toContain('stands already in');
    await hook('uninstall', 'opencode');
    expect(existsSync(file('config'))).toBe(false);
    write(path, 'mine\n');
    expect(await hook('install', 'opencode')).toMatchObject({ code: 7, stderr: expect.stringContaining('it is left as it is') as string });
    expect(await hook('uninstall', 'opencode')).toMatchObject({ code: 7 });
    expect(readFileSync(path, 'utf8')).toBe('mine\n');
  });
});

test.each([
  [['install'], /hook install needs the agent/],
  [['uninstall'], /hook uninstall needs the agent/],
  [['install', 'emacs'], /<agent> cannot be "emacs"; it is one of: claude-code/],
  [['start', 'codex'], /<action> cannot be "start"/],
  [['install', 'codex', '--user', '--project'], /--user/],
  [['status', '--project'], /--project does not go with hook status/],
  [['uninstall', 'codex', '--strict'], /--strict does not go with hook uninstall/],
  [['doctor', '--dry-run'], /--dry-run does not go with hook doctor/],
  [['install', 'codex', '--checkpoints', 'svn'], /checkpoints/],
])('hook %j is wrong usage', async (args, sentence) => {
  expect(await newHome().hook(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(sentence) as string });
});
