import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shellNames } from '../../../src/cli/commands/completion/definition.ts';
import { completionScripts } from '../../../src/cli/commands/completion/scripts/completion-scripts.ts';
import { callProgram } from '../called-program.ts';
import { bin, newPlace, nodePath, runProgram, type Place } from '../started-program.ts';

const repository = join(import.meta.dirname, '../../..');

describe.each(Object.entries(completionScripts))('%s', (shell, { text, fileName }) => {
  test('completions/ holds what is made, and the program prints the same', async () => {
    expect(readFileSync(join(repository, 'completions', fileName), 'utf8')).toBe(text);
    expect(await callProgram(['completion', shell], newPlace())).toMatchObject({ code: 0, stdout: text, stderr: '' });
  });
});

test('completions/ holds nothing else, and goes with the package', () => {
  expect(readdirSync(join(repository, 'completions')).toSorted()).toEqual(
    Object.values(completionScripts)
      .map(({ fileName }) => fileName)
      .toSorted(),
  );
  const { files } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { files: string[] };
  expect(files).toContain('completions');
});

/** Everything below a place's folder but what Node keeps compiled: the content of each file, `folder` for a folder. */
function everything({ folder }: Place): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !path.startsWith('.cache'));
  const contentOf = (path: string) => (statSync(path).isDirectory() ? 'folder' : readFileSync(path, 'utf8'));
  return Object.fromEntries(paths.map((path) => [path, contentOf(join(folder, path))]));
}

interface Installed {
  ok: boolean;
  shell: string;
  path: string;
  profile?: string;
}

async function installed(place: Place, shell: string): Promise<Installed> {
  const { code, stdout, stderr } = await callProgram(['completion', '--install', shell, '--json'], place);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Installed;
}

const uninstall = (place: Place, shell: string) => callProgram(['completion', '--uninstall', shell], place);

describe.each(shellNames)('--install %s', (shell) => {
  test('writes below the home, says where, and --uninstall leaves everything as it was', async () => {
    const place = newPlace();
    const before = everything(place);
    const { code, stdout } = await runProgram(['completion', '--install', shell], place);
    const { path, profile } = await installed(place, shell);
    expect({ code, isTold: stdout.startsWith(`${shell}: written to ${path}\n`) }).toEqual({ code: 0, isTold: true });
    expect(path.startsWith(place.folder)).toBe(true);
    expect(readFileSync(path, 'utf8').startsWith(completionScripts[shell].text)).toBe(true);
    expect(profile !== undefined).toBe(shell === 'powershell');
    if (profile !== undefined)
      expect(
        readFileSync(profile, 'utf8')
          .split('\n')
          .filter((line) => line.includes(path)),
      ).toHaveLength(1);
    expect(await runProgram(['completion', '--uninstall', shell], place)).toMatchObject({
      code: 0,
      stdout: `${shell}: removed: ${path}\n`,
    });
    expect(everything(place)).toEqual(before);
    expect(await uninstall(place, shell)).toMatchObject({ code: 0, stdout: `${shell}: was not there: ${path}\n` });
  });

  test('leaves folders that were there, and what others have put beside it', async () => {
    const place = newPlace();
    const { path } = await installed(place, shell);
    await uninstall(place, shell);
    mkdirSync(dirname(path), { recursive: true });
    const before = everything(place);
    await installed(place, shell);
    await uninstall(place, shell);
    expect(everything(place)).toEqual(before);

    const other = newPlace();
    const own = await installed(other, shell);
    writeFileSync(join(dirname(own.path), 'other'), 'theirs');
    await uninstall(other, shell);
    expect(existsSync(own.path)).toBe(false);
    expect(readFileSync(join(dirname(own.path), 'other'), 'utf8')).toBe('theirs');
  });

  test('neither replaces nor removes a file that it has not written, one that was changed, or a link', async () => {
    const place = newPlace();
    const { path } = await installed(place, shell);
    const ours = readFileSync(path, 'utf8');
    const target = join(place.folder, 'target');
    const states: [string, () => void][] = [
      ['theirs', () => writeFileSync(path, 'theirs\n')],
      ['changed', () => writeFileSync(path, ours.replace('shannon-dash', 'mine'))],
      ['added to', () => (writeFileSync(path, ours), appendFileSync(path, '# mine\n'))],
      ['empty', () => writeFileSync(path, '')],
    ];
    for (const [, make] of states) {
      make();
      const before = everything(place);
      for (const flag of ['--install', '--uninstall']) {
        const { code, stderr } = await callProgram(['completion', flag, shell], place);
        expect({ code, stderr }).toMatchObject({
          code: 7,
          stderr: expect.stringContaining(`${path} is not as --install has written it`) as string,
        });
      }
      expect(everything(place)).toEqual(before);
    }
    writeFileSync(target, ours);
    execFileSync('rm', [path]);
    symlinkSync(target, path);
    for (const flag of ['--install', '--uninstall']) expect((await callProgram(['completion', flag, shell], place)).code).toBe(7);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe(ours);
  });

  test('an older one of ours is written anew', async () => {
    const place = newPlace();
    const { path } = await installed(place, shell);
    const again = await callProgram(['completion', '--install', shell], place);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`${shell}: written anew to ${path}\n`) as string });
    await uninstall(place, shell);
    expect(everything(place)).toEqual(everything(newPlace()));
  });
});

test.each([
  ['no profile', undefined],
  ['an empty one', ''],
  ['one that ends with its last line', 'Set-Alias x y\n'],
  ['one that does not', 'Set-Alias x y\r\n$a = "ä"'],
])('the profile of PowerShell is as it was after --uninstall: %s', async (_, text) => {
  const place = newPlace();
  const profile = join(place.folder, 'config', 'powershell', 'profile.ps1');
  if (text !== undefined) {
    mkdirSync(dirname(profile), { recursive: true });
    writeFileSync(profile, text);
  }
  const before = everything(place);
  const { path } = await installed(place, 'powershell');
  await installed(place, 'powershell');
  const line = `if (Test-Path -LiteralPath '${path}') { . '${path}' }`;
  expect(
    readFileSync(profile, 'utf8')
      .split(/\r?\n/)
      .filter((each) => each.includes(path)),
  ).toEqual([line]);
  await uninstall(place, 'powershell');
  expect(everything(place)).toEqual(before);
});

test('lines that were added to the profile since stay', async () => {
  const place = newPlace();
  const { profile = '' } = await installed(place, 'powershell');
  appendFileSync(profile, 'mine\n');
  await uninstall(place, 'powershell');
  expect(readFileSync(profile, 'utf8')).toBe('mine\n');
});

test('a profile in another encoding is left as it is, and nothing is written', async () => {
  const place = newPlace();
  const profile = join(place.folder, 'config', 'powershell', 'profile.ps1');
  mkdirSync(dirname(profile), { recursive: true });
  writeFileSync(profile, Buffer.from('\ufeffSet-Alias x y\r\n', 'utf16le'));
  const before = everything(place);
  const { code, stderr } = await runProgram(['completion', '--install', 'powershell'], place);
  expect({ code, stderr }).toMatchObject({
    code: 7,
    stderr: expect.stringMatching(/is not in UTF-8[^]*add to it: if \(Test-Path/) as string,
  });
  expect(everything(place)).toEqual(before);
});

test('the shell is the one that it is called from, whatever the login shell is', () => {
  const { folder, env } = newPlace({ SHELL: '/usr/bin/zsh' });
  // With a second command bash does not become the program.
  const printed = execFileSync('bash', ['-c', `"${nodePath}" "${bin}" completion; :`], { cwd: folder, env, encoding: 'utf8' });
  expect(printed).toBe(completionScripts.bash.text);
});

test('a shell that there are none for is wrong usage, and so are both flags', async () => {
  expect(await runProgram(['completion', 'tcsh'], newPlace())).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('bash, zsh, fish, powershell') as string,
  });
  expect((await callProgram(['completion', 'bash', '--install', '--uninstall'], newPlace())).code).toBe(2);
});
