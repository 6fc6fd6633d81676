import { describe, expect, test } from 'vitest';
import { parseSkillFile, SkillFileError, skillFileLimits } from '../../src/server/skills/skill-file.ts';

const shannon = `
name: deploy
version: 1.0
description: Puts it out there
category: release
parameters:
  - {name: target, type: string, required: true}
dependencies: [build]
execution: {type: script, timeout: 30}
hooks: {pre: [check]}
owner: ana
metadata:
  tags: [ops, 2]
  domain: web
  author: ben
`;

describe('a Shannon file', () => {
  test('gives its fields, domain and tags of its metadata, and what it holds beside them', () => {
    expect(parseSkillFile('/s/deploy.yaml', shannon, 'project')).toEqual([
      {
        name: 'deploy',
        version: '1.0',
        description: 'Puts it out there',
        category: 'release',
        domain: 'web',
        tags: ['ops', '2'],
        parameters: [{ name: 'target', type: 'string', required: true }],
        dependencies: ['build'],
        execution: { type: 'script', timeout: 30 },
        hooks: { pre: ['check'] },
        owner: 'ana',
        metadata: { tags: ['ops', '2'], domain: 'web', author: 'ben' },
        format: 'shannon',
        path: '/s/deploy.yaml',
        scope: 'project',
      },
    ]);
  });

  test('may nest the skill under a skill key', () => {
    const [skill] = parseSkillFile('/s/a.yml', 'team: core\nskill:\n  name: a\n  version: 2.10\n  domain: db\n');
    expect(skill).toMatchObject({ name: 'a', version: '2.10', domain: 'db', team: 'core', description: '', tags: [], scope: 'extra' });
    expect(skill).not.toHaveProperty('skill');
  });

  test('may hold several documents, empty ones among them', () => {
    const skills = parseSkillFile('/s/all.yaml', '---\nname: a\n---\n---\nskill: {name: b}\n---\n');
    expect(skills.map((skill) => skill.name)).toEqual(['a', 'b']);
  });

  test('may leave keys empty and give tags as a line', () => {
    const [skill] = parseSkillFile('/s/a.yaml', 'name: a\ndescription:\nparameters:\nmetadata:\ntags: x, y ,\n');
    expect(skill).toEqual({ name: 'a', description: '', tags: ['x', 'y'], format: 'shannon', path: '/s/a.yaml', scope: 'extra' });
  });

  test('cannot say itself where it lies', () => {
    const [skill] = parseSkillFile('/s/a.yaml', 'name: a\npath: /etc/passwd\nscope: user\nformat: claude\n');
    expect(skill).toMatchObject({ path: '/s/a.yaml', scope: 'extra', format: 'shannon' });
  });

  test('with a text that is not well-formed Unicode is refused with the name of the field', () => {
    for (const [field, fault] of [
      ['"description":"\\ud800"', 'description must be well-formed Unicode'],
      ['"parameters":[{"a":"x\\udc00"}]', 'parameters[0].a must be well-formed Unicode'],
    ]) {
      expect(() => parseSkillFile('s.json', `{"name":"s",${field}}`)).toThrow(fault);
    }
  });

  test('with a key __proto__ changes no prototype', () => {
    const [skill] = parseSkillFile('/s/a.yaml', 'name: a\n__proto__: {polluted: true}\nmetadata: {__proto__: {polluted: true}}\n');
    expect(skill?.['polluted']).toBeUndefined();
    expect(skill?.metadata?.['polluted']).toBeUndefined();
  });
});

describe('a SKILL.md', () => {
  test('gives its front matter and not its body', () => {
    const text =
      '\u{FEFF}---\r\nname: review\r\ndescription: Looks twice\r\nallowed-tools: Read, Grep\r\n---\r\n# Body\r\n---\r\nname: no\r\n';
    expect(parseSkillFile('/s/x/SKILL.md', text, 'user')).toEqual([
      {
        name: 'review',
        description: 'Looks twice',
        'allowed-tools': 'Read, Grep',
        tags: [],
        format: 'claude',
        path: '/s/x/SKILL.md',
        scope: 'user',
      },
    ]);
  });

  test.each(['---\ndescription: d\n---\n', '---\n---\n', '---\n---'])('without a name is named after its folder: %j', (text) => {
    expect(parseSkillFile('/s/tidy-up/SKILL.md', text)[0]?.name).toBe('tidy-up');
  });

  test.each([
    ['description: Make it production-ready: errors, empty states', { description: 'Make it production-ready: errors, empty states' }],
    [
      'description: Use when: tired\nversion: 1.10\nmetadata:\n  version: 2.10\n  tags: [x]',
      { description: 'Use when: tired', version: '1.10', metadata: { version: '2.10', tags: ['x'] }, tags: ['x'] },
    ],
    ['argument-hint: [a] [b]', { 'argument-hint': '[a] [b]' }],
    ['description: `code` first\nother: @me', { description: '`code` first', other: '@me' }],
    ['allowed-tools: *\ndescription: d', { 'allowed-tools': '*', description: 'd' }],
    ['description:\twith a tab: yes', { description: 'with a tab: yes' }],
    ['description: a: b\n\tgoes on', { description: 'a: b goes on' }],
    ['name: 007\ndescription: true', { name: '007', description: 'true' }],
    ['name: true\ndescription: [WIP]', { name: 'true', description: '[WIP]' }],
    ['description: "quoted: well"\nx: a: b', { description: 'quoted: well', x: 'a: b' }],
    ['description: |\n  two\n  lines\nx: a: b', { description: 'two\nlines\n', x: 'a: b' }],
    ['description: d\nmetadata: none\ntags: {a: 1}', { description: 'd', tags: [] }],
    ['x: !!js/function f\ndescription: d', { x: '!!js/function f', description: 'd' }],
  ])('is read as Claude Code reads it, not only where it is YAML: %j', (head, fields) => {
    expect(parseSkillFile('/s/x/SKILL.md', `---\n${head}\n---\n`)[0]).toMatchObject(fields);
  });

  test('may use the names of Shannon fields for anything', () => {
    expect(parseSkillFile('/s/a/SKILL.md', '---\ndependencies: python>=3.8\n---\n')[0]?.dependencies).toBe('python>=3.8');
  });
});

describe('a JSON file', () => {
  test('holds one skill, or a list of them', () => {
    expect(parseSkillFile('/s/a.json', '\u{FEFF}{"skill": {"name": "a", "version": 2}, "team": "core"}')).toMatchObject([
      { name: 'a', version: '2', team: 'core', format: 'shannon' },
    ]);
    expect(parseSkillFile('/s/all.json', '[{"name": "a"}, {"name": "b"}]').map((skill) => skill.name)).toEqual(['a', 'b']);
  });

  test('may be something else than a skill, like a YAML file in a subfolder', () => {
    expect(parseSkillFile('/s/data.json', '{"rows": []}')).toEqual([]);
    expect(parseSkillFile('/s/group/ci.yaml', 'on: push', 'extra', false)).toEqual([]);
  });
});

describe('a faulty file is refused with a sentence', () => {
  const deep = `name: a\nx: ${'['.repeat(80)}${']'.repeat(80)}`;
  const bottomless = `name: a\nx: ${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const laughs = ['name: a', 'a0: &a0 [x, x]', ...Array.from({ length: 20 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`)].join(
    '\n',
  );
  const anchors = ['name: a', ...Array.from({ length: 101 }, (_, n) => `a${n}: &a${n} 1\nb${n}: *a${n}`)].join('\n');
  const bloat = `name: a\nx: &x ${'y'.repeat(100_000)}\nz: [${'*x, '.repeat(20)}]`;

  test.each([
    ['a.yaml', 'description: d', 'Skill file /s/a.yaml: field "name" is required'],
    ['a.yaml', 'name: 7', 'Skill file /s/a.yaml: field "name" must be a text'],
    ['a.yaml', 'name: ""', 'Skill file /s/a.yaml: field "name" must not be empty'],
    ['a.yaml', 'name: "a\\e[31m"', 'Skill file /s/a.yaml: field "name" must not hold control characters'],
    ['a.yaml', 'name: a\nmetadata: {tags: {x: 1}}', 'Skill file /s/a.yaml: field "metadata.tags" must be a list of texts'],
    ['a.yaml', 'name: a\nexecution: fast', 'Skill file /s/a.yaml: field "execution" must be a list or a mapping'],
    ['a.yaml', '- a\n- b', 'Skill file /s/a.yaml: must be a mapping with a name, a description and so on'],
    ['a.yaml', '# nothing\n', 'Skill file /s/a.yaml: holds no skill'],
    ['a.yaml', 'name: a\nb: 1\nb: 2\n', 'Skill file /s/a.yaml, line 3: not valid YAML (key "b" stands there twice)'],
    [
      'a.yaml',
      'name: a\n---\nname: b\nx: !!js/function f\n',
      /^Skill file \/s\/a.yaml, line 4: not valid YAML \(Unresolved tag: .*js\/function\)$/,
    ],
    ['a.yaml', 'name: *nobody', /^Skill file \/s\/a.yaml: not valid YAML \(Unresolved alias/],
    ['a.yaml', 'name: a\nx: &x [*x]', /^Skill file \/s\/a.yaml: not valid YAML \(Converting circular structure/],
    ['a.yaml', deep, 'Skill file /s/a.yaml: is nested more than 64 levels deep'],
    ['a.yaml', bottomless, /^Skill file \/s\/a.yaml, line 2: not valid YAML \(Maximum call stack/],
    ['a.yaml', laughs, /^Skill file \/s\/a.yaml: not valid YAML \(Excessive alias count/],
    ['a.yaml', anchors, 'Skill file /s/a.yaml: holds more than 100 aliases'],
    ['a.yaml', bloat, 'Skill file /s/a.yaml: expands to more than 1048576 bytes'],
    ['a.yaml', `name: ${'é'.repeat(skillFileLimits.bytes / 2)}`, 'Skill file /s/a.yaml: is larger than 1048576 bytes'],
    ['a.yaml', '---\nname: a\n'.repeat(101), 'Skill file /s/a.yaml: holds more than 100 skills'],
    ['SKILL.md', '# Just text', 'Skill file /s/SKILL.md: has no front matter: its first line must be ---'],
    ['SKILL.md', '---\nname: a\n', 'Skill file /s/SKILL.md: has a front matter without its closing line ---'],
    [
      'SKILL.md',
      `---\nname: a\nx: ${'['.repeat(80)}${']'.repeat(80)}\n---\n`,
      'Skill file /s/SKILL.md: is nested more than 64 levels deep',
    ],
    ['a.json', '{"name": "a"', 'Skill file /s/a.json: not valid JSON'],
    ['a.json', `{"name": "a", "x": ${'['.repeat(80)}${']'.repeat(80)}}`, 'Skill file /s/a.json: is nested more than 64 levels deep'],
    ['a.json', '{"name": "a", "execution": 1}', 'Skill file /s/a.json: field "execution" must be a list or a mapping'],
  ])('%s %#', (file, text, message) => {
    const parse = (): unknown => parseSkillFile(`/s/${file}`, text);
    expect(parse).toThrow(SkillFileError);
    expect(parse).toThrow(typeof message === 'string' ? new RegExp(`^${escaped(message)}$`) : message);
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
