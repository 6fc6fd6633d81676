import { spawn, type IPty } from '@lydell/node-pty';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newRunPlace, stateOf, until, type RunPlace } from './run-place.ts';
import { bin, nodePath } from './started-program.ts';

/** A program on a terminal of 100 by 30. */
class OnTerminal {
  readonly pty: IPty;
  readonly ended: Promise<{ exitCode: number; signal?: number | undefined }>;
  output = '';

  constructor({ work, env }: RunPlace, command: string, args: readonly string[]) {
    this.pty = spawn(command, [...args], { cols: 100, rows: 30, cwd: work, env: { ...env, PS1: 'prompt> ' }, name: 'xterm-256color' });
    this.pty.onData((text) => (this.output += text));
    this.ended = new Promise((resolve) => this.pty.onExit(resolve));
    onTestFinished(() => this.pty.kill('SIGKILL'));
  }

  /** Waits for a text, and forgets everything up to it. */
  async next(text: string | RegExp): Promise<string> {
    let found: RegExpExecArray | null = null;
    const pattern = typeof text === 'string' ? new RegExp(text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')) : text;
    const seen = until(String(text), () => (found = pattern.exec(this.output)) !== null);
    await seen.catch((error: Error) => {
      throw new Error(`${error.message} in ${JSON.stringify(this.output.slice(-1_000))}`);
    });
    const match = found as unknown as RegExpExecArray;
    this.output = this.output.slice(match.index + match[0].length);
    return match[0];
  }
}

/** `run -s s ...` on a terminal, once it has said where to watch it. */
async function runOnTerminal(place: RunPlace, ...command: string[]): Promise<OnTerminal> {
  const terminal = new OnTerminal(place, nodePath, [bin, 'run', '-s', 's', '--no-files', '--', ...command]);
  await terminal.next('session s  ·  watch it: shannon-dash watch s\r\n');
  return terminal;
}

test('a program on a terminal has a terminal: its size, its colours, its keys', async () => {
  const place = await newRunPlace();
  const script = `const { stdin, stdout, stderr } = process;
    console.log([stdin, stdout, stderr].map((each) => each.isTTY).join() + ' ' + stdout.getWindowSize().join() + ' ' + stdout.getColorDepth());
    stdout.on('resize', () => console.log('now ' + stdout.getWindowSize().join()));
    stdin.once('data', (line) => { console.log('got ' + String(line).trim()); process.exit(5); });`;
  const terminal = await runOnTerminal(place, 'node', '-e', script.replaceAll('\n', ''));
  await terminal.next('true,true,true 100,30 8\r\n');
  terminal.pty.resize(77, 22);
  await terminal.next('now 77,22\r\n');
  terminal.pty.write('hello\r');
  await terminal.next('got hello\r\n');
  expect(await terminal.ended).toMatchObject({ exitCode: 5 });
});

test('passes on what the program makes of its terminal, byte for byte', async () => {
  const place = await newRunPlace();
  // With -onlcr a line feed moves down only, as full-screen programs use it.
  const terminal = await runOnTerminal(
    place,
    'sh',
    '-c',
    'printf "a\\nb"; stty -onlcr; printf "c\\nd\\033[1mbold\\033[0m"; seq 1 20000; printf end',
  );
  await terminal.ended;
  const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('');
  const [own = ''] = terminal.output.split(/session s completed/);
  expect(own).toBe(`a\r\nbc\nd\u001b[1mbold\u001b[0m${numbers}end`);
});

test('Ctrl-C is the program’s, and ends the run as it ends the program', async () => {
  const place = await newRunPlace();
  const caught = await runOnTerminal(place, 'sh', '-c', 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.02; done');
  await caught.next('ready');
  caught.pty.write('\x03');
  await caught.next('caught');
  expect(await caught.ended).toMatchObject({ exitCode: 3 });
  const died = await runOnTerminal(place, 'sh', '-c', 'echo ready; exec sleep 60');
  await died.next('ready');
  died.pty.write('\x03');
  expect(await died.ended).toMatchObject({ signal: 2 });
});

test('Ctrl-C reaches a halted program, and the session runs again', async () => {
  const place = await newRunPlace();
  const terminal = await runOnTerminal(place, 'sh', '-c', 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.02; done');
  await terminal.next('ready');
  await place.untilEvent('s', 'execution:started');
  expect(await place.command('s', 'HALT')).toMatchObject({ status: 'applied' });
  terminal.pty.write('\x03');
  await terminal.next('caught');
  expect(await terminal.ended).toMatchObject({ exitCode: 3 });
  await place.untilEvent('s', 'execution:resumed', ({ reason }) => reason === 'SIGINT to the halted program');
});

test('Ctrl-Z gives the shell its terminal back, and fg the program', async () => {
  const place = await newRunPlace();
  const shell = new OnTerminal(place, 'bash', ['--norc', '-i']);
  await shell.next('prompt> ');
  writeFileSync(join(place.work, 'tick.sh'), 'echo $$ > pid; i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done');
  shell.pty.write(`${nodePath} ${bin} run -s s --no-files -- sh tick.sh\r`);
  await shell.next('tick 3\r\n');
  shell.pty.write('\x1a');
  await shell.next(/Stopped[^]*prompt> /);
  expect(stateOf(Number(place.read('pid')))).toBe('T');
  shell.pty.write('stty -a\r');
  const settings = await shell.next(/speed[^]*prompt> /);
  for (const setting of [/[^-]opost/, /[^-]icanon/, /[^-]echo\b/]) expect(settings).toMatch(setting);
  shell.pty.write('fg\r');
  await shell.next(/tick \d+\r\n/);
  shell.pty.write('\x03');
  await shell.next('prompt> ');
  shell.pty.write('echo code=$?\r');
  await shell.next('code=130');
});

test('Ctrl-Z is only a key to a program that takes all keys as they are', async () => {
  const place = await newRunPlace();
  const terminal = await runOnTerminal(
    place,
    'sh',
    '-c',
    'stty raw -echo; echo ready; dd bs=1 count=2 2>/dev/null | od -An -tx1; stty sane',
  );
  await terminal.next('ready');
  terminal.pty.write('\x1a\x03');
  await terminal.next(' 1a 03');
  expect(await terminal.ended).toMatchObject({ exitCode: 0 });
});

test('is 127 and 126 on a terminal too', async () => {
  const place = await newRunPlace();
  writeFileSync(join(place.work, 'text'), 'no program');
  const missing = await runOnTerminal(place, 'no-such-command');
  await missing.next('command not found: no-such-command');
  expect(await missing.ended).toMatchObject({ exitCode: 127 });
  const text = await runOnTerminal(place, './text');
  await text.next('cannot run ./text (permission denied)');
  expect(await text.ended).toMatchObject({ exitCode: 126 });
});

/** An interactive shell, in which `$run` starts a program. */
async function interactiveShell(place: RunPlace): Promise<OnTerminal> {
  const shell = new OnTerminal(place, 'bash', ['--norc', '-i']);
  await shell.next('prompt> ');
  shell.pty.write(`run='${nodePath} ${bin} run --no-files'\r`);
  await shell.next('prompt> ');
  return shell;
}

test('each stream is a terminal where it is one bare, and /dev/tty is there', async () => {
  const place = await newRunPlace();
  const shell = await interactiveShell(place);
  writeFileSync(
    join(place.work, 'ask.sh'),
    'for f in 0 1 2; do test -t $f && s=$s$f; done; echo ASK >/dev/tty; read a </dev/tty; echo "$s $a" >> "$1"',
  );
  const mixes = ['', '2>err', '>out', '<ask.sh', '</dev/null >out 2>err', '| cat', '2>&1 | cat'];
  for (const [index, mix] of mixes.entries()) {
    const results: (string | undefined)[] = [];
    for (const start of ['', '$run -- ']) {
      const file = `result${index}${start === '' ? 'bare' : 'run'}`;
      shell.pty.write(`${start}sh ask.sh ${file} ${mix}\r`);
      await shell.next('ASK\r\n');
      shell.pty.write('x\r');
      await shell.next('prompt> ');
      results.push(place.read(file));
    }
    expect([mix, results[1]]).toEqual([mix, results[0]]);
  }
}, 60_000);

test('Ctrl-C ends the script that called run, as it ends one that calls the program bare', async () => {
  const place = await newRunPlace();
  writeFileSync(join(place.work, 's.sh'), `${nodePath} ${bin} run --no-files -- sh -c 'echo ready; exec sleep 60'\ntouch after\n`);
  const shell = await interactiveShell(place);
  shell.pty.write('bash s.sh\r');
  await shell.next('ready\r\n');
  shell.pty.write('\x03');
  await shell.next('prompt> ');
  shell.pty.write('echo "script=$?"\r');
  await shell.next('script=130');
  expect(place.read('after')).toBeUndefined();
});

test('a job in the background runs, leaves the terminal alone, and what it leaves behind lives on', async () => {
  const place = await newRunPlace();
  const shell = await interactiveShell(place);
  shell.pty.write(`$run -s b -- sh -c 'sleep 60 & echo $! > left; echo OUT' &\r`);
  await shell.next('OUT\r\n');
  await place.untilEvent('b', 'execution:completed');
  // Only when the run has ended: its exit is what could change the terminal's settings.
  shell.pty.write('wait; stty -a\r');
  expect(await shell.next(/speed[^]*prompt> /)).toMatch(/[^-]icanon/);
  const left = Number(place.read('left'));
  expect(stateOf(left)).toBe('S');
  process.kill(left, 'SIGKILL');
});

test('a program that stops itself by Ctrl-Z is suspended, and bg lets it go on', async () => {
  const place = await newRunPlace();
  // As full-screen editors do: all keys as they are, and Ctrl-Z is their own.
  writeFileSync(
    join(place.work, 'editor.sh'),
    'stty raw -echo; echo ready; dd bs=1 count=1 2>/dev/null | od -An -tx1; stty sane; kill -TSTP 0; echo again; sleep 0.2; echo over > over',
  );
  const shell = await interactiveShell(place);
  shell.pty.write('$run -- sh editor.sh\r');
  await shell.next('ready');
  shell.pty.write('\x1a');
  await shell.next(/Stopped[^]*prompt> /);
  expect(place.read('over')).toBeUndefined();
  shell.pty.write('bg\r');
  await shell.next('again');
  await until('it has ended', () => place.read('over') !== undefined);
});
