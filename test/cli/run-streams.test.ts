import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newRunPlace, outputLines, shell } from './run-place.ts';
import { bin, nodePath } from './started-program.ts';

const run = `"${nodePath}" "${bin}" run`;

describe('output on pipes', () => {
  test('passes bytes on as they are, without a line end of its own, and the streams apart', async () => {
    const place = await newRunPlace();
    const bytes = randomBytes(300_000);
    writeFileSync(join(place.work, 'bytes'), bytes);
    const { code, stdout, stderr } = await shell(`${run} -- sh -c 'cat bytes; printf "\\377 no end" >&2; exit 7'`, place);
    expect(code).toBe(7);
    expect(stdout.equals(bytes)).toBe(true);
    expect(stderr.toString('latin1')).toBe('\xff no end');
  });

  test('passes 50 MB on in bounded memory, and tells of them in bounded events', async () => {
    const place = await newRunPlace();
    const child = spawn(nodePath, [bin, 'run', '-s', 'big', '--', 'sh', '-c', 'yes "a line of output" | head -c 52428800'], {
      cwd: place.work,
      env: place.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const hash = createHash('sha256');
    let memoryKiB = 0;
    let chunks = 0;
    for await (const bytes of child.stdout) {
      hash.update(bytes as Buffer);
      if (chunks++ % 50 > 0) continue;
      memoryKiB = Math.max(memoryKiB, Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
    }
    const line = Buffer.from('a line of output\n');
    expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.alloc(52_428_800, line)).digest('hex'));
    expect(memoryKiB).toBeGreaterThan(0);
    expect(memoryKiB).toBeLessThan(256 * 1024);
    const end = await place.untilEvent('big', 'execution:completed');
    const events = (await place.events('big')).filter(({ type }) => type === 'process:output');
    const letGo = events.reduce((sum, { data }) => sum + Number(data['let_go'] ?? 0), 0);
    // What is left out is counted; the last line, cut off by `head`, is there.
    const told = outputLines(events).length + letGo;
    expect(told).toBeGreaterThanOrEqual(Math.ceil(52_428_800 / line.length));
    // On a machine that stood still for a second, a line that had not ended by then is told in two parts.
    expect(told).toBeLessThan(Math.ceil(52_428_800 / line.length) + 10);
    expect(letGo).toBeGreaterThan(0);
    expect(outputLines(events).at(-1)).toBe(line.toString().slice(0, 52_428_800 % line.length));
    expect(events.length).toBeLessThan(60 + (end.data['result'] as { duration_ms: number }).duration_ms / 50);
  });

  test('gives a slow reader everything, long after the program has ended', async () => {
    const place = await newRunPlace();
    // The reader begins when the session has ended as far as the program goes: it leaves a file as its last act.
    const script = `${run} -- sh -c 'head -c 150000 /dev/zero; : > ended' | (until [ -e ended ]; do sleep 0.05; done; wc -c)`;
    expect((await shell(script, place)).stdout.toString().trim()).toBe('150000');
  });

  test('ends as the program does when nobody reads any more', async () => {
    const place = await newRunPlace();
    const { stdout } = await shell(`${run} -- yes | head -1; echo \${PIPESTATUS[0]}`, place);
    const bare = await shell(`yes | head -1; echo \${PIPESTATUS[0]}`, place);
    expect(stdout.toString()).toBe(bare.stdout.toString());
    expect(stdout.toString()).toBe('y\n141\n');
  });

  test('keeps the order of both streams where they are one file', async () => {
    const place = await newRunPlace();
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    const script = numbers.map((number) => `echo ${number}${number % 2 === 0 ? '' : ' >&2'}`).join('\n');
    writeFileSync(join(place.work, 'both.sh'), script);
    const { stdout } = await shell(`${run} -- sh both.sh 2>&1 | cat`, place);
    expect(stdout.toString()).toBe(numbers.map((number) => `${number}\n`).join(''));
  });

  test('lets a program open /dev/stdout and /dev/stderr', async () => {
    const place = await newRunPlace();
    const { stdout, stderr } = await shell(`${run} -- sh -c 'echo out > /dev/stdout; echo err | tee /dev/stderr > /dev/null'`, place);
    expect([stdout.toString(), stderr.toString()]).toEqual(['out\n', 'err\n']);
  });

  test('hands its input to the program', async () => {
    const place = await newRunPlace();
    const { stdout } = await shell(`printf 'a\\0b' | ${run} -- cat`, place);
    expect(stdout.toString()).toBe('a\0b');
  });

  test('does not wait for what the program left behind', async () => {
    const place = await newRunPlace();
    const program = place.start('s', '--no-files', '--', 'sh', '-c', 'sleep 60 & echo $!');
    const exited = new Promise((resolve) => program.child.once('exit', resolve));
    await program.until(({ stdout }) => stdout.endsWith('\n'));
    // The output stays open for what was left behind, as bare.
    expect(await exited).toBe(0);
    process.kill(Number(program.stdout), 'SIGKILL');
    await program.ended;
  });
});

describe('how it ends', () => {
  test.each(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGPIPE', 'SIGUSR1'] as const)('dies of %s as the program did', async (signal) => {
    const place = await newRunPlace();
    const program = place.start('s', '--no-files', '--', 'sh', '-c', `echo last words; kill -${signal.slice(3)} $$`);
    expect(await program.ended).toMatchObject({ code: null, signal, stdout: 'last words\n' });
    const { data } = await place.untilEvent('s', 'execution:failed');
    expect(data).toMatchObject({ error: `ended by ${signal}`, signal });
  });

  test('is 127 for a command that is not there, and 126 for what is no program', async () => {
    const place = await newRunPlace();
    writeFileSync(join(place.work, 'text'), 'no program');
    const missing = await place.start('s', '--', 'no-such-command').ended;
    expect(missing).toMatchObject({ code: 127, stdout: '' });
    expect(missing.stderr).toMatch(/^error: command not found: no-such-command\n {2}/);
    const text = await place.start('t', '--', './text').ended;
    expect(text).toMatchObject({ code: 126, stdout: '' });
    expect(text.stderr).toMatch(/^error: cannot run \.\/text \(permission denied\)\n/);
    // What never ran is no failed session.
    const { sessions } = (await fetch(`${place.server.url}/api/sessions`).then((answer) => answer.json())) as { sessions: unknown[] };
    expect(sessions).toEqual([]);
  });
});
