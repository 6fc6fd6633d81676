import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newRunPlace, shell, stateOf, until } from '../cli/run-place.ts';
import { StartedProgram } from '../cli/started-program.ts';

describe('row 24: git that does not answer', () => {
  test('a pipe in the place of the list of ignored files keeps no program from starting, and no checkpoint from being made', async () => {
    const place = await newRunPlace();
    await shell('git init -q .; echo 1 > a; mkfifo ../pipe; git config core.excludesFile "$PWD/../pipe"', place);
    const { code, stdout } = await place.start('s', '--checkpoints', 'git', '--', 'echo', 'ran').ended;
    expect([code, stdout]).toEqual([0, 'ran\n']);
    expect((await place.untilEvent('s', 'checkpoint:created')).data).toMatchObject({ checkpoint_id: 'start', files: 1 });
  });

  test('a pipe in the place of a .gitignore lets the program begin, and the run end, while git waits', async () => {
    const place = await newRunPlace();
    await shell('git init -q .; mkfifo .gitignore', place);
    const { code, stdout } = await place.start('s', '--checkpoints', 'git', '--no-files', '--', 'echo', 'ran').ended;
    expect([code, stdout]).toEqual([0, 'ran\n']);
  });

  test('git is ended with the run, also by a signal before the program starts', async () => {
    const place = await newRunPlace();
    const programs = join(place.folder, 'hanging');
    mkdirSync(programs);
    writeFileSync(join(programs, 'git'), `#!/bin/sh\necho $$ > "${place.folder}/pid"\nexec sleep 300\n`);
    chmodSync(join(programs, 'git'), 0o755);
    const env = { ...place.env, PATH: [programs, place.env['PATH']].join(delimiter) };
    const run = new StartedProgram(['run', '-s', 's', '--checkpoints', 'git', '--', 'true'], { folder: place.work, env });
    const pid = () => Number(place.read('../pid') ?? 0);
    await until('git hangs', () => pid() > 0);
    run.child.kill('SIGTERM');
    await run.ended;
    // Whoever adopts it may take its time to notice.
    await until('git has ended', () => ['gone', 'Z'].includes(stateOf(pid())));
    expect(run.child.exitCode ?? run.child.signalCode).not.toBe(0);
  });
});
