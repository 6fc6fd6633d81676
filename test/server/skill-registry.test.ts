import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { skillFileLimits } from '../../src/server/skills/skill-file.ts';
import { skillFolderLimits } from '../../src/server/skills/skill-folder.ts';
import { defaultSkillFolders, startSkillRegistry } from '../../src/server/skills/skill-registry.ts';
import type { SkillRegistry, SkillRegistryOptions } from '../../src/server/skills/skill-registry.ts';

let root: string;
let opened: SkillRegistry[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skills-'));
});

afterEach(async () => {
  await Promise.all(opened.map((registry) => registry.close()));
  opened = [];
  await rm(root, { recursive: true, force: true });
});

/** Writes a file below the test's folder, with the folders above it. */
async function put(path: string, text: string): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

async function opening(options: SkillRegistryOptions): Promise<SkillRegistry> {
  const registry = startSkillRegistry(options);
  opened.push(registry);
  await registry.ready;
  return registry;
}

async function openRegistry(options: Partial<SkillRegistryOptions> & { extra?: string[] } = {}): Promise<SkillRegistry> {
  const { extra = [], ...rest } = options;
  const folders = defaultSkillFolders({ cwd: join(root, 'project'), home: join(root, 'home'), extra });
  return opening({ folders, ...rest });
}

const names = (registry: SkillRegistry): string[] => registry.list().map((skill) => skill.name);
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 20 });

describe('the first reading', () => {
  test('finds every layout in the folders of the project and the user, sorted by name', async () => {
    await put('project/.shannon/skills/deploy.yaml', 'name: deploy');
    await put('project/.shannon/skills/build.yml', 'skill: {name: build}');
    await put('project/.shannon/skills/lint/skill.yaml', 'name: lint');
    await put('project/.claude/skills/review/SKILL.md', '---\ndescription: Looks twice\n---\n');
    await put('home/.shannon/skills/a/b/c/skill.yml', 'name: deep');
    await put('home/.claude/skills/notes/SKILL.md', '---\nname: notes\n---\n');
    await put('project/.shannon/skills/web/pages.yaml', 'name: pages');
    await put('project/.shannon/skills/web/style.json', '{"name": "style"}');
    await put('project/.shannon/skills/package.json', '{"name": "no-skill", "description": "x"}');
    const registry = await openRegistry();
    expect(registry.list().map(({ name, scope, format }) => [name, scope, format])).toEqual([
      ['build', 'project', 'shannon'],
      ['deep', 'user', 'shannon'],
      ['deploy', 'project', 'shannon'],
      ['lint', 'project', 'shannon'],
      ['notes', 'user', 'claude'],
      ['pages', 'project', 'shannon'],
      ['review', 'project', 'claude'],
      ['style', 'project', 'shannon'],
    ]);
    expect(registry.problems).toEqual([]);
  });

  test('takes a folder that is one skill', async () => {
    await put('tools/one/SKILL.md', '---\n---\n');
    expect(names(await openRegistry({ extra: ['../tools/one'] }))).toEqual(['one']);
  });

  test('leaves out what is too deep, hidden, installed, or the material of a skill', async () => {
    await put('project/.shannon/skills/a/b/c/d/skill.yaml', 'name: deep');
    await put('project/.shannon/skills/.git/skill.yaml', 'name: hidden');
    await put('project/.shannon/skills/.draft.yaml', 'name: draft');
    await put('project/.shannon/skills/node_modules/skill.yaml', 'name: installed');
    await put('project/.shannon/skills/x/skill.yaml', 'name: x');
    await put('project/.shannon/skills/x/ci.yaml', 'name: material');
    await put('project/.shannon/skills/x/examples/SKILL.md', '---\nname: example\n---\n');
    await put('project/.shannon/skills/README.md', '---\nname: readme\n---\n');
    expect(names(await openRegistry())).toEqual(['x']);
  });

  test('lists one of several skills with a name, extra before project before user, and says so of the others', async () => {
    const winner = await put('more/same.yaml', 'name: same\ndescription: extra');
    const project = await put('project/.claude/skills/same/SKILL.md', '---\ndescription: project\n---\n');
    const user = await put('home/.shannon/skills/same.yaml', 'name: same\ndescription: user');
    const registry = await openRegistry({ extra: [join(root, 'more')] });
    expect(registry.list()).toMatchObject([{ name: 'same', description: 'extra', scope: 'extra' }]);
    expect(registry.problems).toEqual(
      [project, user].map((path) => ({
        path,
        error: `Skill "same" of ${path} is not listed: ${winner} has the same name and comes first`,
      })),
    );
  });

  test('reads a folder once that is reached by two ways', async () => {
    await put('home/.shannon/skills/a.yaml', 'name: a');
    await mkdir(join(root, 'home/.claude'), { recursive: true });
    await symlink(join(root, 'home/.shannon/skills'), join(root, 'home/.claude/skills'));
    const folders = defaultSkillFolders({ cwd: join(root, 'home'), home: join(root, 'home'), extra: [] });
    const registry = await opening({ folders });
    expect(registry.list()).toMatchObject([{ name: 'a', scope: 'project' }]);
    expect(registry.problems).toEqual([]);
  });

  test('reports each broken file once and lists the others', async () => {
    const broken = await put('project/.shannon/skills/broken.yaml', 'name: [');
    const large = await put('project/.shannon/skills/large.yaml', 'x'.repeat(skillFileLimits.bytes + 1));
    const latin = join(root, 'project/.shannon/skills/latin.yaml');
    await writeFile(latin, Buffer.from('name: caf\u{e9}', 'latin1'));
    const noFolder = await put('file', '');
    await put('project/.shannon/skills/fine.yaml', 'name: fine');
    const sentences: string[] = [];
    const registry = await openRegistry({ extra: [noFolder], onProblem: (sentence) => sentences.push(sentence) });
    expect(names(registry)).toEqual(['fine']);
    expect(registry.problems.map((problem) => problem.path)).toEqual([noFolder, broken, large, latin]);
    expect(sentences).toEqual(registry.problems.map((problem) => problem.error));
    expect(sentences[0]).toBe(`Skill folder ${noFolder} cannot be read: ENOTDIR`);
    expect(sentences[1]).toMatch(/broken\.yaml, line 1: not valid YAML/);
    expect(sentences[2]).toMatch(/large\.yaml: is larger than 1048576 bytes$/);
    expect(sentences[3]).toMatch(/latin\.yaml: is not a text in UTF-8$/);
  });

  test.skipIf(process.platform === 'win32')('is not held up by a named pipe or a link that leads nowhere', async () => {
    await put('project/.shannon/skills/a.yaml', 'name: a');
    await promisify(execFile)('mkfifo', [join(root, 'project/.shannon/skills/pipe.yaml')]);
    await symlink(join(root, 'nowhere'), join(root, 'project/.shannon/skills/gone.yaml'));
    await symlink(join(root, 'project/.shannon/skills'), join(root, 'project/.shannon/skills/loop'));
    const registry = await openRegistry();
    expect(names(registry)).toEqual(['a']);
    expect(registry.problems).toEqual([]);
  });

  test('stops at a number of files and says where', async () => {
    const file = (index: number): string => `project/.shannon/skills/s${String(index).padStart(4, '0')}.yaml`;
    await put(file(0), 'name: s0');
    await Promise.all(Array.from({ length: skillFolderLimits.files }, (_, index) => put(file(index + 1), `name: s${index + 1}`)));
    const registry = await openRegistry();
    expect(registry.list()).toHaveLength(skillFolderLimits.files);
    expect(registry.problems).toHaveLength(1);
    expect(registry.problems[0]?.error).toMatch(/more than 1000 skill files or 20000 entries: nothing is read from .*s1000\.yaml on$/);
  });
});

describe('the watch', () => {
  test('follows files that are added, changed, broken, mended and removed', async () => {
    await put('project/.shannon/skills/a.yaml', 'name: a\ndescription: one');
    const onChange = vi.fn<() => void>();
    const sentences: string[] = [];
    const registry = await openRegistry({ onChange, onProblem: (sentence) => sentences.push(sentence) });
    expect(onChange).not.toHaveBeenCalled();

    await put('project/.shannon/skills/b/SKILL.md', '---\ndescription: new\n---\n');
    await eventually(() => expect(names(registry)).toEqual(['a', 'b']));
    expect(onChange).toHaveBeenCalled();

    await put('project/.shannon/skills/a.yaml', 'name: a\ndescription: two');
    await eventually(() => expect(registry.get('a')?.description).toBe('two'));

    const path = await put('project/.shannon/skills/a.yaml', 'name: a\nname: b\n');
    await eventually(() => expect(names(registry)).toEqual(['b']));
    expect(registry.problems).toEqual([{ path, error: `Skill file ${path}, line 2: not valid YAML (key "name" stands there twice)` }]);
    expect(sentences).toEqual([registry.problems[0]?.error]);

    await put('mended.yaml', 'name: a\ndescription: three');
    await rename(join(root, 'mended.yaml'), path);
    await eventually(() => expect(registry.get('a')?.description).toBe('three'));
    expect(registry.problems).toEqual([]);

    await rm(join(root, 'project/.shannon/skills/b'), { recursive: true });
    await eventually(() => expect(names(registry)).toEqual(['a']));
  });

  test('brings the shadowed skill out when the winner goes', async () => {
    const winner = await put('project/.shannon/skills/a.yaml', 'name: a');
    await put('home/.shannon/skills/a.yaml', 'name: a');
    const registry = await openRegistry();
    expect(registry.get('a')?.scope).toBe('project');
    await rm(winner);
    await eventually(() => expect(registry.get('a')?.scope).toBe('user'));
    expect(registry.problems).toEqual([]);
  });

  test('notices folders that come after the start, also with the folders above them', async () => {
    await mkdir(join(root, 'project'));
    const registry = await openRegistry({ extra: ['gen/out/skills'] });
    expect(registry.list()).toEqual([]);
    expect(registry.problems.map((problem) => problem.error)).toEqual([
      `Skill folder ${join(root, 'project/gen/out/skills')} does not exist (yet)`,
    ]);
    await put('project/.shannon/skills/p.yaml', 'name: p');
    await eventually(() => expect(names(registry)).toEqual(['p']));
    await put('project/gen/out/skills/x.yaml', 'name: x');
    await eventually(() => expect(names(registry)).toEqual(['p', 'x']));
    await put('home/.claude/skills/u/SKILL.md', '---\n---\n');
    await eventually(() => expect(names(registry)).toEqual(['p', 'u', 'x']));
  });

  test('finds folders again that were removed and made anew', async () => {
    await put('project/.shannon/skills/a.yaml', 'name: a');
    const registry = await openRegistry();
    for (const round of ['one', 'two']) {
      await rm(join(root, 'project/.shannon'), { recursive: true });
      await eventually(() => expect(registry.list()).toEqual([]));
      await put('project/.shannon/skills/a.yaml', 'name: a');
      await eventually(() => expect(names(registry)).toEqual(['a']));
      await put('project/.shannon/skills/a.yaml', `name: a\ndescription: ${round}`);
      await eventually(() => expect(registry.get('a')?.description).toBe(round));
    }
  });

  // Nothing else is watched there: the watch hangs on a folder that goes away itself.
  test('outlives the folder above an extra one', async () => {
    await put('gen/out/skills/x.yaml', 'name: x');
    const registry = await opening({ folders: [{ path: join(root, 'gen/out/skills'), scope: 'extra' }] });
    await rm(join(root, 'gen'), { recursive: true });
    await eventually(() => expect(registry.list()).toEqual([]));
    await put('gen/out/skills/y.yaml', 'name: y');
    await eventually(() => expect(names(registry)).toEqual(['y']));
    await rm(join(root, 'gen/out'), { recursive: true });
    await put('gen/out/skills/z.yaml', 'name: z');
    await eventually(() => expect(names(registry)).toEqual(['z']));
    await put('gen/out/skills/z.yaml', 'name: zz');
    await eventually(() => expect(names(registry)).toEqual(['zz']));
  });

  test('does not take a touched file for a change', async () => {
    const path = await put('project/.shannon/skills/a.yaml', 'name: a');
    const onChange = vi.fn<() => void>();
    const registry = await openRegistry({ onChange });
    await writeFile(path, 'name: a');
    await put('project/.shannon/skills/b.yaml', 'name: b');
    await eventually(() => expect(names(registry)).toEqual(['a', 'b']));
    expect(onChange).toHaveBeenCalledOnce();
  });

  test('ends with close, and holds no process up', async () => {
    await put('project/.shannon/skills/a.yaml', 'name: a');
    const module = new URL('../../src/server/skills/skill-registry.ts', import.meta.url).href;
    const program = `
      const { startSkillRegistry } = await import(${JSON.stringify(module)});
      const folders = ${JSON.stringify(defaultSkillFolders({ cwd: join(root, 'project'), home: join(root, 'home'), extra: [] }))};
      const registry = startSkillRegistry({ folders });
      await registry.ready;
      await (await import('node:fs/promises')).writeFile(folders[0].path + '/b.yaml', 'name: b');
      while (registry.list().length < 2) await new Promise((resolve) => setImmediate(resolve));
      await registry.close();
      const watches = process.getActiveResourcesInfo().filter((each) => each.startsWith('FSEvent'));
      console.log(JSON.stringify([registry.list().map((skill) => skill.name), watches]));`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 15_000 });
    expect(JSON.parse((await run).stdout)).toEqual([['a', 'b'], []]);
  });
});

describe('the list', () => {
  const usage = new Map([
    ['alpha', { started: 5, completed: 3, failed: 1, duration_s: 9, durations: 2 }],
    ['beta', { started: 0, completed: 0, failed: 2, duration_s: 0, durations: 0 }],
  ]);

  test('narrows by each filter, whatever the case', async () => {
    await put(
      'project/.shannon/skills/all.yaml',
      [
        'name: alpha\ncategory: Release\ndomain: web\ntags: [Ops, fast]\ndescription: Ships it',
        'name: beta\ncategory: test\nmetadata: {domain: WEB, tags: [ops]}',
        'name: gamma',
      ].join('\n---\n'),
    );
    const registry = await openRegistry();
    const found = (filter: Parameters<SkillRegistry['list']>[0]): string[] => registry.list(filter).map((skill) => skill.name);
    expect(found({ category: 'release' })).toEqual(['alpha']);
    expect(found({ domain: 'Web' })).toEqual(['alpha', 'beta']);
    expect(found({ tag: 'OPS' })).toEqual(['alpha', 'beta']);
    expect(found({ tag: 'op' })).toEqual([]);
    expect(found({ q: 'SHIPS' })).toEqual(['alpha']);
    expect(found({ q: 'amm' })).toEqual(['gamma']);
    expect(found({ q: 'fas' })).toEqual(['alpha']);
    expect(found({ q: 'op', category: 'test' })).toEqual(['beta']);
    expect(found({ q: '', category: '', domain: undefined })).toEqual(['alpha', 'beta', 'gamma']);
  });

  test('merges the figures of the runs, as they are now', async () => {
    await put('project/.shannon/skills/all.yaml', 'name: alpha\nusage_count: 99\n---\nname: beta\n---\nname: gamma');
    let now = usage;
    const registry = await openRegistry({});
    const figures = (): unknown[] => registry.list({}, now).map((skill) => [skill.usage_count, skill.success_rate, skill.avg_duration]);
    expect(figures()).toEqual([
      [5, 0.75, 4.5],
      [2, 0, null],
      [0, null, null],
    ]);
    expect(registry.get('alpha', now)).toMatchObject({ usage_count: 5, success_rate: 0.75, avg_duration: 4.5 });
    now = new Map();
    expect(registry.get('alpha', now)).toMatchObject({ usage_count: 0, success_rate: null, avg_duration: null });
    expect(registry.get('Alpha')).toBeUndefined();
  });
});

test('the default folders are the extra ones, the project’s and the user’s', () => {
  expect(defaultSkillFolders({ cwd: '/project', home: '/home/ana', extra: ['more', '/else'] })).toEqual([
    { path: '/project/more', scope: 'extra' },
    { path: '/else', scope: 'extra' },
    { path: '/project/.shannon/skills', scope: 'project' },
    { path: '/project/.claude/skills', scope: 'project' },
    { path: '/home/ana/.shannon/skills', scope: 'user' },
    { path: '/home/ana/.claude/skills', scope: 'user' },
  ]);
});
