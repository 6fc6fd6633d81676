import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { skillFolderLimits } from '../../src/server/skills/skill-folder.ts';
import { defaultSkillFolders, startSkillRegistry, type SkillRegistry } from '../../src/server/skills/skill-registry.ts';

/** A project with these skill files, and its registry once everything was read. */
async function project(files: Record<string, string>, links: Record<string, string> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'shannon-dash-skills-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const at = async (path: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  for (const [path, text] of Object.entries(files)) await writeFile(await at(path), text);
  for (const [path, target] of Object.entries(links)) await symlink(target, await at(path));
  return { root, open: () => opened(root) };
}

async function opened(root: string): Promise<SkillRegistry> {
  const registry = startSkillRegistry({ folders: defaultSkillFolders({ cwd: join(root, 'p'), home: join(root, 'home'), extra: [] }) });
  onTestFinished(() => registry.close());
  await registry.ready;
  return registry;
}

const names = (registry: SkillRegistry) => registry.list().map(({ name }) => name);
const skills = 'p/.shannon/skills';

describe('row 22: links of skills, and names of folders', () => {
  test('a link that leads outside is told and not followed: of a file, a folder, the folder of skills itself', async () => {
    const { root, open } = await project(
      { 'secret/id.yaml': 'name: stolen', 'secret/skill.yaml': 'name: stolen2', [`${skills}/own.yaml`]: 'name: own' },
      { [`${skills}/file.yaml`]: '../../../secret/id.yaml', [`${skills}/folder`]: '../../../secret', 'p/.claude/skills': '../../secret' },
    );
    const registry = await open();
    expect(names(registry)).toEqual(['own']);
    const outside = 'leads outside of';
    expect(registry.problems.map(({ path, error }) => [path, error.includes(outside)])).toEqual([
      [join(root, skills, 'file.yaml'), true],
      [join(root, skills, 'folder'), true],
      [join(root, 'p/.claude/skills'), true],
    ]);
  });

  test('a loop of links ends no watch, and a faulty skill is told once, by its plain path', async () => {
    const { root, open } = await project(
      { [`${skills}/zz/skill.yaml`]: 'name: [', [`${skills}/b.yaml`]: 'name: b' },
      { [`${skills}/aa`]: 'zz', [`${skills}/loop`]: '.', [`${skills}/zz/up`]: '..', [`${skills}/a.yaml`]: 'b.yaml' },
    );
    const registry = await open();
    expect(registry.problems.map(({ path }) => path)).toEqual([join(root, skills, 'zz/skill.yaml')]);
    expect(registry.list().map(({ path }) => path)).toEqual([join(root, skills, 'b.yaml')]);
    await writeFile(join(root, skills, 'zz/skill.yaml'), 'name: mended');
    await vi.waitFor(() => expect(names(registry)).toEqual(['b', 'mended']), { timeout: 20_000 });
    expect(registry.problems).toEqual([]);
  });

  test('the name of a folder is none for a skill where it could not be one in a file', async () => {
    const { open } = await project({
      [`${skills}/\x1b]0;x\x07/SKILL.md`]: '---\ndescription: d\n---\n',
      [`${skills}/ok/SKILL.md`]: '---\n---\n',
    });
    const registry = await open();
    expect(names(registry)).toEqual(['ok']);
    expect(registry.problems[0]?.error).toContain('the name of its folder must not hold control characters');
  });
});

describe('row 14: skill files that take long, or are many', () => {
  test('a file that takes long is told; it holds up neither the others nor the process', async () => {
    const bomb = `name: bomb\nx: [${'[],'.repeat(340_000)}]`;
    const { root, open } = await project({ [`${skills}/a.yaml`]: bomb, [`${skills}/b.yaml`]: 'name: b' });
    // Turns of this process while the file is read in a thread: a process that is held up has none.
    let turns = 0;
    const turning = setInterval(() => turns++, 10);
    const registry = await open();
    clearInterval(turning);
    expect(names(registry)).toEqual(['b']);
    // Which of the two bounds it meets first depends on how quick the machine is.
    expect(registry.problems).toEqual([
      {
        path: join(root, skills, 'a.yaml'),
        error: expect.stringMatching(/: (takes longer than 2000 ms to read|needs more memory to read than is given to it)$/) as string,
      },
    ]);
    expect(turns).toBeGreaterThan(20);
  });

  test('of a folder of very many files a bounded number is looked at, and that is told', async () => {
    const count = skillFolderLimits.entries + 100;
    const { root, open } = await project({ [`${skills}/0.yaml`]: 'name: first' });
    for (let done = 0; done < count; done += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => writeFile(join(root, skills, `x${done + index}.txt`), '')));
    }
    const registry = await open();
    expect(registry.problems).toHaveLength(1);
    expect(registry.problems[0]?.error).toMatch(/^Skill folders hold more than 1000 skill files or 20000 entries/);
  });
});
