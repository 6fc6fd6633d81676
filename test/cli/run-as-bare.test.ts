import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newRunPlace, outputLines, shell, until } from './run-place.ts';
import { bin, nodePath } from './started-program.ts';

const run = `"${nodePath}" "${bin}" run --no-files`;

test('a program gets what it would get bare: descriptors, ignored signals, the limit of open files, bytes', async () => {
  const place = await newRunPlace();
  writeFileSync(join(place.work, 'file'), 'from 3');
  const program = String.raw`grep SigIgn /proc/self/status; ulimit -Sn; cat <&3; printf "%s" "$1" "$NOT_UTF8" "$2" | od -An -tx1`;
  const start = (command: string) =>
    `(trap '' HUP USR1; ulimit -Sn 321; export NOT_UTF8=$'\\xfe'; ${command} sh -c '${program}' sh $'caf\\xe9' 'plain'; true) 3<file`;
  const [bare, under] = [await shell(start(''), place), await shell(start(`${run} --`), place)];
  expect(under.stdout.toString()).toBe(bare.stdout.toString());
  expect(bare.stdout.toString()).toContain('321\nfrom 3 63 61 66 e9 fe 70 6c');
  // Whoever is started by nohup goes on when the terminal goes.
  const nohup = await shell(`nohup ${run} -- grep SigIgn /proc/self/status; nohup grep SigIgn /proc/self/status`, place);
  const [first, second] = nohup.stdout.toString().trim().split('\n');
  expect(first).toBe(second);
});

test('every signal that can be caught is handed on', async () => {
  const place = await newRunPlace();
  const script = 'for s in ALRM RTMIN WINCH USR2; do trap "echo $s >> got" $s; done; : > ready; for i in $(seq 600); do sleep 0.05; done';
  const program = place.start('s', '--no-files', '--', 'bash', '-c', script);
  await until('it is ready', () => place.read('ready') !== undefined);
  for (const signal of ['SIGALRM', 34, 'SIGUSR2'] as const) {
    process.kill(program.child.pid ?? 0, signal);
    await until(`it got ${signal}`, () => (place.read('got') ?? '').includes(signal === 34 ? 'RTMIN' : signal.slice(3)));
  }
  program.child.kill('SIGTERM');
  expect(await program.ended).toMatchObject({ signal: 'SIGTERM' });
});

test('what is written after the end by what was left behind is passed on, and told', async () => {
  const place = await newRunPlace();
  const { stdout } = await shell(
    `${run} -s late -- sh -c '(until [ -e go ]; do sleep 0.05; done; echo late) & echo first' > out; cat out; : > go`,
    place,
  );
  expect(stdout.toString()).toBe('first\n');
  await until('it is passed on', () => place.read('out') === 'first\nlate\n');
  await until('it is told', async () => outputLines(await place.events('late')).includes('late'));
});

test('a deleted folder, a TMPDIR that is gone and too few descriptors are no riddle', async () => {
  const place = await newRunPlace();
  const gone = await shell(`mkdir gone; cd gone; rmdir ../gone; ${run} -- echo ran; "${nodePath}" "${bin}" sessions >&2; echo $?`, place);
  expect(gone.stdout.toString()).toBe('ran\n0\n');
  const temporary = await shell(`TMPDIR=/nonexistent ${run} -- sh -c 'echo hi > /dev/stdout'`, place);
  expect(temporary.stdout.toString()).toBe('hi\n');
  const few = await shell(`ulimit -n 32; ${run} -- touch ran; echo $?`, place);
  expect(few.stdout.toString()).toBe('126\n');
  expect(few.stderr.toString()).toContain('too few open files are allowed');
  expect(place.read('ran')).toBeUndefined();
});

test('a program finds shannon-dash on its PATH, however run was started', async () => {
  const place = await newRunPlace();
  rmSync(join(place.folder, 'bin', 'shannon-dash'));
  const { stdout } = await shell(
    `${run} -s s -- sh -c 'shannon-dash emit skill:started --data "{\\"skill_name\\":\\"x\\"}" && echo done'`,
    place,
  );
  expect(stdout.toString()).toContain('done');
  expect((await place.events('s')).map(({ type }) => type)).toContain('skill:started');
});
