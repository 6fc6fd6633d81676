import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newRunPlace, shell } from './run-place.ts';
import { callProgram } from './called-program.ts';

test('two runs in one work tree are told of each other, and neither turns back the other unless forced; what is kept is listed and removed', async () => {
  const place = await newRunPlace();
  await shell('git init -q .; mkdir fe be; echo 0 > fe/f; echo 0 > be/b', place);
  const inFolder = (folder: string) => ({ ...place, folder: join(place.work, folder) });
  const script = (file: string) => ['sh', '-c', `echo 1 > ${file}; echo ready; read go`];
  const fe = place.start('fe', '--checkpoints', 'git', '--no-files', '--', ...script('fe/f'));
  await fe.until(({ stdout }) => stdout.includes('ready'));
  const be = place.start('be', '--no-files', '--', ...script('be/b'));
  await be.until(({ stdout }) => stdout.includes('ready'));
  const other = /^another run works in this work tree: session be \(run-\d+@/;
  expect(await place.command('fe', 'ROLLBACK', { dry_run: true })).toMatchObject({
    result: { other_runs: [expect.stringMatching(other) as string] },
  });
  expect(await place.command('fe', 'ROLLBACK')).toMatchObject({ status: 'failed', error: expect.stringMatching(other) as string });
  expect([place.read('be/b'), place.read('fe/f')]).toEqual(['1\n', '1\n']);
  expect((await place.events('fe')).some(({ type }) => type === 'execution:halted')).toBe(false);
  expect(await place.command('fe', 'ROLLBACK', { force: true })).toMatchObject({
    result: { other_runs: [expect.stringMatching(other) as string] },
  });
  expect([place.read('be/b'), place.read('fe/f')]).toEqual(['0\n', '0\n']);
  const announced = (await place.untilEvent('fe', 'checkpoint:created', ({ checkpoint_id }) => checkpoint_id === 'before-rollback-1')).data;
  expect(announced['files']).toBe(2);
  be.child.stdin?.end('\n');
  await be.ended;

  const list = async (...args: string[]) => {
    const { stdout } = await callProgram(['checkpoint', '--list', '--json', ...args], inFolder('.'));
    return (JSON.parse(stdout) as { checkpoints: { session_id: string; checkpoint_id: string }[] }).checkpoints.map(
      ({ session_id, checkpoint_id }) => `${session_id} ${checkpoint_id}`,
    );
  };
  const prune = (...args: string[]) => callProgram(['checkpoint', '--prune', ...args], inFolder('.'));
  expect(await list()).toEqual(['fe start', 'fe before-rollback-1']);
  expect((await prune('-s', 'fe')).stderr).toContain('fe runs: its checkpoints stay');
  await place.command('fe', 'RESUME');
  fe.child.stdin?.end('\n');
  expect(await fe.ended).toMatchObject({ code: 0 });
  expect((await prune()).stderr).toContain('nothing to remove');
  expect(await list('-s', 'fe')).toHaveLength(2);
  await fetch(`${place.server.url}/api/sessions/fe`, { method: 'DELETE' });
  expect((await prune()).stdout).toMatch(/^removed the checkpoints of fe in /);
  expect(await list()).toEqual([]);
  expect(readdirSync(join(place.folder, 'state', 'shannon-dash', 'runs'))).toEqual([]);
});

test('the checkpoints of a session that is deleted while it runs go with it', async () => {
  const place = await newRunPlace();
  await shell('git init -q .; echo 0 > a', place);
  const run = place.start('s', '--checkpoints', 'git', '--no-files', '--', 'sh', '-c', 'echo ready; read go');
  await run.until(({ stdout }) => stdout.includes('ready'));
  await place.untilEvent('s', 'checkpoint:created');
  await fetch(`${place.server.url}/api/sessions/s`, { method: 'DELETE' });
  run.child.stdin?.end('\n');
  expect(await run.ended).toMatchObject({ code: 0 });
  const kept = join(place.folder, 'state', 'shannon-dash', 'checkpoints');
  expect(readdirSync(kept).flatMap((tree) => readdirSync(join(kept, tree)))).toEqual([]);
});
