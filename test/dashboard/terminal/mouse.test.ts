import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { journalAsOf, publish, startServer } from '../../helpers/start-server.ts';
import { attachOrchestrator, commandsOf, decisionEvents, runEvents } from '../scripted-run.ts';
import { watch } from '../watch.ts';
import { programPath, type ProgramOptions, type WatchedProgram } from '../watched-program.ts';

vi.setConfig({ testTimeout: 90_000 });

type Event = (typeof runEvents)[number];

async function opened(events: readonly Event[], args: readonly string[] = [], options: ProgramOptions = {}) {
  const server = await startServer();
  await journalAsOf(server, 'run-7f3a', events);
  const program = watch(server.url, ['run-7f3a', ...args], options);
  await program.shows('6 Events');
  await program.shows('● live');
  return { server, program };
}

/** A report of the mouse at the first place of a text on screen. */
function mouse(program: WatchedProgram, button: number, text: string): string {
  const y = program.rows().findIndex((row) => row.includes(text));
  const x = program.rows()[y]?.indexOf(text) ?? -1;
  expect(y, `${text} is not on screen`).toBeGreaterThan(-1);
  return `\x1b[<${button};${x + 1};${y + 1}M\x1b[<${button};${x + 1};${y + 1}m`;
}

const click = (program: WatchedProgram, text: string) => program.type(mouse(program, 0, text));
const wheel = (program: WatchedProgram, direction: 'up' | 'down', text: string) =>
  program.type(mouse(program, direction === 'up' ? 64 : 65, text));
const isFocused = (program: WatchedProgram, title: string) =>
  program.raw.lastIndexOf(`\x1b[1m ${title}`) > program.raw.lastIndexOf(`\x1b[22m ${title}`);

const many: Event[] = [
  ...runEvents,
  ...Array.from({ length: 40 }, (_, n) => ({
    type: 'file:modified',
    data: { path: `src/part-${n}.ts` },
    timestamp: new Date(Date.UTC(2026, 0, 2, 12, 7, n)).toISOString(),
  })),
];

test('the wheel scrolls the panel under the pointer, a click focuses it and chooses a row', async () => {
  const { program } = await opened(many);
  await program.shows(/3 Files 42[^]*src\/part-39\.ts/);
  expect(isFocused(program, '3 Files')).toBe(false);
  wheel(program, 'down', 'src/part-38.ts');
  await program.shows(/3 Files 42 .* 4-\d+ of 42 /);
  wheel(program, 'up', 'src/part-36.ts');
  await program.shows(/3 Files 42 .* 1-\d+ of 42 /);
  expect(isFocused(program, '3 Files')).toBe(false);
  click(program, 'src/part-38.ts');
  await program.until(
    () => isFocused(program, '3 Files'),
    10_000,
    () => 'the click did not focus',
  );
  program.type('\r');
  await program.shows(/file +src\/part-38\.ts/);
  program.type('\x1b');
  await program.shows('6 Events');
  // The events: scrolling up leaves the newest, down to the end follows them again.
  wheel(program, 'up', 'edited src/part-39.ts');
  await program.shows('follow OFF');
  await program.shows(/3 new ↓ G/);
  wheel(program, 'down', 'edited src/part-30.ts');
  await program.shows('follow ON');
});

test('in the overview a click selects a session, and the wheel goes through them', async () => {
  const server = await startServer();
  const started = { type: 'execution:started', data: {} };
  for (const id of ['one', 'two', 'three']) await publish(server, id, [started]);
  const program = watch(server.url);
  await program.shows((text) => ['one', 'two', 'three'].every((id) => text.includes(id)) && /● live \d+ms/.test(text));
  await program.shows('1 of 3');
  click(program, ' one ');
  await program.shows('3 of 3');
  wheel(program, 'up', 'RUNNING');
  await program.shows('1 of 3');
  click(program, ' one ');
  program.type('\r');
  await program.shows((text) => text.startsWith(' one ') && text.includes('6 Events'));
});

test('a click on an option chooses it and sends nothing; Enter sends', async () => {
  const { server, program } = await opened([...runEvents, ...decisionEvents]);
  click(program, '[2] skip');
  await program.shows('Enter sends option 2');
  // Just after a prompt has come nothing chooses: it may be meant for what was there before.
  for (let attempt = 0; attempt < 20 && !program.text().includes('Enter sends option 1'); attempt++) {
    click(program, '[1] migrate');
    await program.shows('Enter sends option 1', 300).catch(() => undefined);
  }
  // What lies beside the prompt is not to be reached by a click.
  click(program, 'spec-analysis');
  click(program, '? help');
  program.type('3');
  await program.shows('Enter sends option 3');
  expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
  for (let attempt = 0; attempt < 20 && !/chose "ask again later"/.test(program.text()); attempt++) {
    program.type('\r');
    await program.shows(/chose "ask again later"/, 300).catch(() => undefined);
  }
  expect((await commandsOf(server.url, 'run-7f3a')).map(({ parameters }) => parameters)).toEqual([
    { decision_id: 'd-1', choice: 'ask again later' },
  ]);
});

test('no click sends, wherever it falls: on the keys of the footer, in a dialog', async () => {
  const { server, program } = await opened(runEvents);
  await attachOrchestrator(server.url, 'run-7f3a');
  await program.shows('X stop');
  click(program, 'H halt');
  click(program, 'X stop');
  program.type('X');
  await program.shows('Stop run-7f3a?');
  for (let y = 1; y <= 40; y++) program.type(`\x1b[<0;30;${y}M\x1b[<0;30;${y}m`);
  program.type('?');
  await program.shows('┌─ Help');
  expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
});

test('--no-mouse, the variable and the setting leave the mouse to the terminal', async () => {
  const home = mkdtempSync(join(tmpdir(), 'shannon-dash-mouse-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, 'shannon-dash'));
  writeFileSync(join(home, 'shannon-dash', 'config.json'), '{"mouse": false}');
  const ways: [string[], Record<string, string>][] = [
    [['--no-mouse'], {}],
    [[], { SHANNON_DASH_MOUSE: '0' }],
    [[], { XDG_CONFIG_HOME: home }],
  ];
  for (const [args, environment] of ways) {
    const { program } = await opened(runEvents, args, { environment });
    expect(program.raw).toContain('\x1b[?2004h');
    expect(program.raw).not.toMatch(/\x1b\[\?100\d/);
    program.kill();
  }
});

test.each(['q', 'ctrl-c', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'crash'])('the mouse goes back to the terminal: %s', async (way) => {
  const crash = `data:text/javascript,process.on('SIGUSR1',()=>{throw(new(Error)('boom'))})`;
  const { program } = await opened(runEvents, [], { environment: { NODE_OPTIONS: `--import=${crash}` } });
  await program.until(
    () => program.mouse === 'vt200',
    10_000,
    () => 'the mouse was never asked for',
  );
  if (way === 'q') program.type('q');
  else if (way === 'ctrl-c') program.type('\x03');
  else program.pty.kill(way === 'crash' ? 'SIGUSR1' : way);
  await program.ended();
  expect(program.mouse).toBe('none');
  expect(program.raw.lastIndexOf('\x1b[?1006l')).toBeGreaterThan(program.raw.lastIndexOf('\x1b[?1006h'));
  expect(program.isFullScreen()).toBe(false);
});

test('the mouse goes to the shell while suspended, and to the plain stream', async () => {
  const server = await startServer();
  await publish(server, 'run-7f3a', runEvents);
  const program = watch(server.url, ['run-7f3a'], {
    command: ['bash', '--norc', '-i', '-c', `set -m; "$0" "$@"; echo IN-SHELL; read -r line; fg; echo LEFT`, process.execPath, programPath],
  });
  const has = (mouse: string) =>
    program.until(
      () => program.mouse === mouse,
      15_000,
      () => `the mouse is not ${mouse}:\n${program.text()}`,
    );
  await program.shows('6 Events');
  await has('vt200');
  program.type('\x1a');
  await program.shows('IN-SHELL');
  await has('none');
  // What is typed before the screen is back is none of its keys.
  program.type('\n');
  await program.shows('6 Events');
  await has('vt200');
  program.type('s');
  await program.shows('plain stream of run-7f3a');
  await has('none');
  program.type('s');
  await program.shows('6 Events');
  await has('vt200');
  program.type('q');
  await program.shows('LEFT');
  await has('none');
});

test("neither a terminal's answers nor what was typed before the screen stood are pasted text, or keys", async () => {
  const server = await startServer();
  await publish(server, 'run-7f3a', runEvents);
  await attachOrchestrator(server.url, 'run-7f3a');
  const program = watch(server.url, ['run-7f3a']);
  const answers = '\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1bP>|XTerm(388)\x1b\\';
  program.type(`${answers}HX123456`);
  await program.shows('6 Events');
  await program.shows('● live');
  program.type(`${answers}?`);
  await program.shows('┌─ Help');
  expect(program.raw).not.toMatch(/pasted text|Stop run-7f3a/);
  expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
});
