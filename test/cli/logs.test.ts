import { expect, test } from 'vitest';
import { WatchedProgram } from '../dashboard/watched-program.ts';
import { newRunPlace, until } from './run-place.ts';
import { callProgram } from './called-program.ts';
import { newServerPlace } from './server-place.ts';
import { runProgram, StartedProgram } from './started-program.ts';

test('the output of a program is shown as it was: colours on a terminal, cleaned elsewhere, and parts of it', async () => {
  const place = await newRunPlace();
  const script = 'printf "\\033[1;31mred\\033[0m\\n"; echo second; echo third >&2; exit 1';
  expect((await place.start('build', '--', 'sh', '-c', script).ended).code).toBe(1);
  const logs = async (...args: string[]) => (await callProgram(['logs', ...args], place)).stdout;
  expect((await runProgram(['logs', 'build'], place)).stdout.split('\n').toSorted()).toEqual(['', 'red', 'second', 'third']);
  expect((await logs('bui', '-n', '1')).trim().split('\n')).toHaveLength(1);
  expect(await logs('--grep', '^sec')).toBe('second\n');
  expect(await logs('--grep', '^sec', '-t')).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2,}\d+s {2}second\n$/);
  expect(await logs('--at', '0')).toContain('red');
  expect(await callProgram(['logs', '--at', '1h'], place)).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/^build has written nothing from 1h of its run on; the run took \d+s\n$/) as string,
  });
  expect(await logs('--since', '1h')).toContain('second');
  expect(JSON.parse(await logs('--json', '--grep', 'third'))).toMatchObject({ session_id: 'build', stream: 'stderr', line: 'third' });
  const terminal = new WatchedProgram(['logs', 'build', '--url', place.server.url]);
  expect(await terminal.ended()).toBe(0);
  expect(terminal.raw).toContain('\x1b[1;31mred\x1b[0m');
});

test('a line can hide nothing and move nothing on the terminal of whoever reads it', async () => {
  const place = await newServerPlace();
  const lines = ['\x1b[31mseen\x1b[8mhidden\x1b[0m', 'up\x1b[2Ahere', '\x1b[38;5;8mgrey\x1b[m'];
  await place.publishAll('s', { type: 'process:output', data: { lines } });
  const terminal = new WatchedProgram(['logs', 's', '--url', place.url]);
  expect(await terminal.ended()).toBe(0);
  expect(terminal.raw).toContain('\x1b[31mseenhidden\x1b[0m');
  expect(terminal.raw).toContain('uphere');
  expect(terminal.raw).toContain('\x1b[38;5;8mgrey');
});

test('where a program has used the whole screen, the way to play it is told beside its lines', async () => {
  const place = await newServerPlace();
  await place.publishAll('s', { type: 'process:output', data: { lines: ['bye'] } });
  expect(await place.call('logs', 's')).toMatchObject({ stdout: 'bye\n', stderr: '' });
  await place.publishAll('s', { type: 'process:screen', data: { text: 'drawn' } });
  expect(await place.call('logs', 's')).toMatchObject({ stdout: 'bye\n', stderr: expect.stringContaining('logs s --raw') as string });
});

test('with --follow it goes on until the run ends', async () => {
  const place = await newRunPlace();
  const run = place.start('live', '--', 'sh', '-c', 'echo one; read _; echo two');
  await place.untilEvent('live', 'process:output');
  const logs = new StartedProgram(['logs', 'live', '-f'], place);
  await logs.until(({ stdout }) => stdout.includes('one'));
  await until('it watches', async () => {
    const { sessions } = (await fetch(`${place.server.url}/api/sessions`).then((answer) => answer.json())) as {
      sessions: { watchers: number }[];
    };
    return sessions[0]?.watchers === 1;
  });
  run.child.stdin?.end('\n');
  expect(await logs.ended).toMatchObject({ code: 0, stdout: 'one\ntwo\n' });
});

test('bad patterns and times are told', async () => {
  const place = await newServerPlace();
  expect((await place.call('logs', '--grep', '(')).stderr).toMatch(/--grep is no regular expression/);
  expect((await place.call('logs', '--at', 'soon')).stderr).toMatch(/--at soon must be a time from the start of the run/);
  expect((await place.call('logs')).stderr).toMatch(/no session is live/);
});
