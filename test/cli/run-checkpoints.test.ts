import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Json } from '../helpers/start-server.ts';
import { newRunPlace, shell, until, type RunPlace } from './run-place.ts';
import { callProgram } from './called-program.ts';
import { runProgram } from './started-program.ts';

/** A work tree with staged, unstaged, untracked and ignored files. */
async function newRepository(): Promise<RunPlace> {
  const place = await newRunPlace();
  const setUp = `git init -q . && git config user.email a@b.c && git config user.name a
    printf 'one\\n' > tracked; printf 'kept\\n' > kept; printf 'ignored/\\n*.log\\n' > .gitignore; printf '#!/bin/sh\\n' > tool; chmod +x tool
    git add -A && git commit -qm first
    printf 'staged\\n' > staged; git add staged; printf 'two\\n' >> tracked; printf 'un\\0tracked' > untracked; mkdir ignored; echo i > ignored/i; echo l > a.log
    git status > /dev/null`;
  expect((await shell(setUp, place)).code).toBe(0);
  return place;
}

/** What a rollback must bring back, byte for byte: the files (but for those ignored), the index, and what git says. */
async function standing(place: RunPlace): Promise<{ files: Record<string, string>; index: string; status: string; refs: string }> {
  const ofGit = async (command: string) => (await shell(`GIT_OPTIONAL_LOCKS=0 git ${command}`, place)).stdout.toString();
  const names = readdirSync(place.work, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !/^(\.git|ignored)(\/|$)|\.log$/.test(name) && statSync(join(place.work, name)).isFile(),
  );
  return {
    files: Object.fromEntries(
      names.map((name) => [
        name,
        `${(statSync(join(place.work, name)).mode & 0o777).toString(8)} ${readFileSync(join(place.work, name), 'base64')}`,
      ]),
    ),
    index: readFileSync(join(place.work, '.git/index'), 'base64'),
    status: await ofGit('status --porcelain=v2 --branch --ignored'),
    refs: `${await ofGit('branch -a')}${await ofGit('stash list')}${await ofGit('for-each-ref refs/heads refs/tags refs/stash')}`,
  };
}

async function checkpoints(place: RunPlace): Promise<(string | undefined)[]> {
  return (await place.events('s')).filter(({ type }) => type === 'checkpoint:created').map(({ data }) => data['checkpoint_id'] as string);
}

test('a script of ten lines is halted, rolled back and redirected by a decision', async () => {
  const place = await newRepository();
  writeFileSync(
    join(place.folder, 'script.sh'),
    `set -e
    echo prepared > tracked
    rm kept; chmod -x tool
    shannon-dash checkpoint --id before --label "before migration"
    echo migrated > untracked; rm staged; echo more > made; mkdir sub; echo deep > sub/deep; echo changed > ignored/i
    until [ "$answer" = stop ]; do
      answer=$(shannon-dash decide "Migrated. Go on?" --option on --option stop)
      shannon-dash gate
    done
    echo "stopped" > end.log`,
  );
  const atStart = await standing(place);
  const program = place.start('s', '--checkpoints', 'git', '--', 'sh', join(place.folder, 'script.sh'));
  const asked = await place.untilEvent('s', 'decision:point');
  expect(await checkpoints(place)).toEqual(['start', 'before']);
  expect((await place.untilEvent('s', 'checkpoint:saved')).data).toMatchObject({ checkpoint_id: 'before', files: 5 });

  // A preview of a running program changes nothing and stops nothing.
  const migrated = await standing(place);
  const preview = await place.command('s', 'ROLLBACK', { dry_run: true });
  const undone = [
    { path: 'made', change: 'removed' },
    { path: 'staged', change: 'recreated' },
    { path: 'sub/deep', change: 'removed' },
    { path: 'untracked', change: 'restored' },
  ];
  expect(preview).toMatchObject({
    status: 'applied',
    result: { checkpoint_id: 'before', restore: undone, restore_count: 4, cannot_undo: [] },
  });
  expect(await standing(place)).toEqual(migrated);
  expect((await place.events('s')).some(({ type }) => type === 'execution:halted')).toBe(false);

  // Applied, it halts first.
  expect(await place.command('s', 'ROLLBACK')).toMatchObject({ status: 'applied', result: { restored: 2, removed: 2, restore: undone } });
  await place.untilEvent('s', 'execution:halted', ({ reason }) => reason === 'rollback');
  const before = await standing(place);
  expect(before.index).toBe(atStart.index);
  expect(before.refs).toBe(atStart.refs);
  expect(before.files['tracked']).toBe(`644 ${Buffer.from('prepared\n').toString('base64')}`);
  expect(before.files['untracked']).toBe(atStart.files['untracked']);
  expect(Object.keys(before.files).toSorted()).toEqual(['.gitignore', 'staged', 'tool', 'tracked', 'untracked']);
  expect(place.read('ignored/i')).toBe('changed\n');

  // Rolled back by id, and the rollback itself rolled back.
  expect(await place.command('s', 'ROLLBACK', { checkpoint_id: 'before-rollback-1' })).toMatchObject({ status: 'applied' });
  expect(await standing(place)).toEqual(migrated);
  expect(await place.command('s', 'ROLLBACK', { steps: 2 })).toMatchObject({ status: 'applied', result: { checkpoint_id: 'start' } });
  expect(await standing(place)).toEqual(atStart);
  expect(await place.command('s', 'ROLLBACK', { steps: 3 })).toMatchObject({
    status: 'failed',
    error: expect.stringMatching(/^Cannot go back 3 steps/) as string,
  });

  await place.command('s', 'DECISION', { decision_id: asked.data['decision_id'], choice: 'stop' });
  await place.command('s', 'RESUME');
  expect(await program.ended).toMatchObject({ code: 0 });
  expect(place.read('end.log')).toBe('stopped\n');
  const { files, index, refs } = await standing(place);
  expect({ files, index, refs }).toEqual({ files: atStart.files, index: atStart.index, refs: atStart.refs });
});

test('what somebody else changed while the program was stopped is not overwritten, unless forced', async () => {
  const place = await newRepository();
  const program = place.start('s', '--checkpoints', 'git', '--', 'sh', '-c', 'echo mine > tracked; echo done; read end');
  await program.until(({ stdout }) => stdout.includes('done'));
  await place.untilEvent('s', 'execution:started');
  await place.command('s', 'HALT');
  writeFileSync(join(place.work, 'kept'), 'by hand\n');
  const refused = await place.command('s', 'ROLLBACK');
  expect(refused).toMatchObject({
    success: false,
    status: 'failed',
    error: expect.stringMatching(/^1 file changed since the program was stopped: kept/) as string,
  });
  expect([place.read('kept'), place.read('tracked')]).toEqual(['by hand\n', 'mine\n']);
  expect(await place.command('s', 'ROLLBACK', { force: true })).toMatchObject({
    status: 'applied',
    result: { changed_since_stop: ['kept'] },
  });
  expect([place.read('kept'), place.read('tracked')]).toEqual(['kept\n', 'one\ntwo\n']);
  expect(await place.command('s', 'ROLLBACK', { checkpoint_id: 'before-rollback-1' })).toMatchObject({ status: 'applied' });
  expect([place.read('kept'), place.read('tracked')]).toEqual(['by hand\n', 'mine\n']);
  await place.command('s', 'RESUME');
  program.child.stdin?.end('\n');
  expect(await program.ended).toMatchObject({ code: 0 });
});

test('a program may announce an id again, and a later run of the session takes none of the former again', async () => {
  const place = await newRepository();
  const announce = (id: string, label: string) =>
    `shannon-dash emit checkpoint:created --data '{"checkpoint_id":"${id}","label":"${label}"}'`;
  const script = `echo a > tracked; ${announce('c', 'first')}; read go; echo b > tracked; ${announce('c', 'second')}; read go; echo c > tracked; echo done; read go`;
  const saved = async () => (await place.events('s')).filter(({ type }) => type === 'checkpoint:saved').length;
  const program = place.start('s', '--checkpoints', 'git', '--', 'sh', '-c', script);
  await until('the first is saved', async () => (await saved()) === 1);
  program.child.stdin?.write('\n');
  await until('the second is saved', async () => (await saved()) === 2);
  program.child.stdin?.write('\n');
  await program.until(({ stdout }) => stdout.includes('done'));
  await place.command('s', 'ROLLBACK', { checkpoint_id: 'c' });
  expect(place.read('tracked')).toBe('b\n');
  await place.command('s', 'RESUME');
  program.child.stdin?.end('\n');
  expect(await program.ended).toMatchObject({ code: 0 });

  writeFileSync(join(place.work, 'tracked'), 'later\n');
  const later = place.start('s', '--checkpoints', 'git', '--', 'sh', '-c', `${announce('d', 'later')}; read go`);
  await until('the later is saved', async () => (await saved()) === 3);
  expect(await place.command('s', 'ROLLBACK', { checkpoint_id: 'c', dry_run: true })).toMatchObject({
    result: { restore: [{ path: 'tracked', change: 'restored' }] } satisfies Json,
  });
  expect(await saved()).toBe(3);
  later.child.stdin?.end('\n');
  await later.ended;
});

test('outside of a git work tree it says so, before anything runs', async () => {
  const place = await newRunPlace();
  const { code, stdout, stderr } = await place.start('s', '--checkpoints', 'git', '--', 'sh', '-c', 'echo ran').ended;
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: .*git/);
  expect(await place.events('s')).toEqual([]);
});

test('what cannot be saved is said to who waits for it', async () => {
  const place = await newRepository();
  const script = 'echo up; read go; shannon-dash checkpoint --id broken; echo "ended with $?"';
  const program = place.start('s', '--checkpoints', 'git', '--', 'sh', '-c', script);
  await program.until(({ stdout }) => stdout.includes('up'));
  rmSync(join(place.work, '.git'), { recursive: true });
  mkdirSync(join(place.work, '.git'));
  program.child.stdin?.end('\n');
  const { stdout, stderr } = await program.ended;
  expect(stdout).toContain('ended with 1');
  expect(stderr).toMatch(/checkpoint broken was not saved: /);
});

test('restore brings the files back after the run has ended, and can be undone itself', async () => {
  const place = await newRepository();
  const before = await standing(place);
  const run = place.start('s', '--checkpoints', 'git', '--', 'sh', '-c', 'echo more >> tracked; rm kept; echo new > added');
  expect((await run.ended).code).toBe(0);
  const after = await standing(place);
  expect(after.files).not.toEqual(before.files);
  const restore = (...args: string[]) => callProgram(['restore', 's', ...args], place);
  expect((await restore('--checkpoint', 'start')).stderr).toMatch(/off a terminal it needs --yes/);
  expect((await restore('--checkpoint', 'start', '--dry-run')).stdout).toMatch(/tracked/);
  expect(await standing(place)).toEqual(after);
  const restored = await runProgram(['restore', 's', '--checkpoint', 'start', '--yes'], place);
  expect((await standing(place)).files).toEqual(before.files);
  const undo = /--checkpoint (\S+)\n/.exec(restored.stdout)?.[1] ?? '';
  expect((await restore('--checkpoint', undo, '--yes')).code).toBe(0);
  expect((await standing(place)).files).toEqual(after.files);
  expect((await restore('--checkpoint', 'none', '--yes')).stderr).toMatch(/checkpoint --list -s s/);
  expect((await callProgram(['restore', 'nosuch', '--yes'], place)).stderr).toMatch(/no checkpoints are kept of a session nosuch/);
  const again = place.start('s', '--checkpoints', 'git', '--', 'sh', '-c', 'echo up; read _');
  await again.until(({ stdout }) => stdout.includes('up'));
  expect((await restore('--yes')).stderr).toMatch(/s runs\n +roll it back: shannon-dash send ROLLBACK -s s/);
  again.child.stdin?.end('\n');
});
