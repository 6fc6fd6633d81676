import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { keyTable } from '../../src/dashboard/keys/key-table.ts';
import { graceMs } from '../../src/view/decision-prompt.ts';
import { journalAsOf, publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { attachOrchestrator, commandsOf, decisionEvents, runEvents } from './scripted-run.ts';
import { watch } from './watch.ts';
import { programPath, type WatchedProgram } from './watched-program.ts';

vi.setConfig({ testTimeout: 90_000 });

const escape = '\x1b';
const tried = new Set<string>();

/** Types a key of the table; what it must do is awaited by the caller. */
function press(program: WatchedProgram, name: string, bytes = name): void {
  tried.add(name);
  program.type(bytes);
}

/** Presses a key once, after the grace in which a changed prompt takes no keys. */
async function pressAfterGrace(program: WatchedProgram, name: string, bytes: string, wanted: string | RegExp): Promise<void> {
  await wait(graceMs);
  press(program, name, bytes);
  await program.shows(wanted);
}

async function opened(
  options: { decisions?: boolean; orchestrator?: boolean } = {},
): Promise<{ server: TestServer; program: WatchedProgram }> {
  const server = await startServer();
  await journalAsOf(server, 'run-7f3a', options.decisions === true ? [...runEvents, ...decisionEvents] : runEvents);
  if (options.orchestrator === true) await attachOrchestrator(server.url, 'run-7f3a');
  const program = watch(server.url, ['run-7f3a']);
  await program.shows('wave-orchestration');
  await program.shows('● live');
  await program.shows('custom:thing');
  return { server, program };
}

/** The title of the panel that has the focus: its border is not dim, its title strong. */
function isFocused(program: WatchedProgram, title: string): boolean {
  return program.raw.lastIndexOf(`\x1b[1m ${title}`) > program.raw.lastIndexOf(`\x1b[22m ${title}`);
}

/** Whole frames, top and footer: they are painted row by row, and a key sent after half of one would join the Esc before it. */
const detail = (change: string) => (text: string) => new RegExp(`change +${change}`).test(text) && text.includes('Esc back');
const panels = (text: string) => text.includes('6 Events') && !text.includes('Esc back');

describe('keys of a session', () => {
  test('focus, movement, detail, zoom and back', async () => {
    const { program } = await opened();
    for (const [index, title] of ['1 Skills', '2 Agents', '3 Files', '4 Validation', '5 Decision', '6 Events'].entries()) {
      press(program, String(index + 1));
      await program.until(
        () => isFocused(program, title),
        5_000,
        () => `${title} did not get the focus`,
      );
    }
    press(program, 'tab', '\t');
    await program.until(
      () => isFocused(program, '1 Skills'),
      5_000,
      () => 'tab did not go round',
    );
    press(program, 'shift-tab', `${escape}[Z`);
    await program.until(
      () => isFocused(program, '6 Events'),
      5_000,
      () => 'shift-tab did not go back',
    );

    press(program, '3');
    press(program, 'enter', '\r');
    await program.shows(detail('created'));
    press(program, 'escape', escape);
    await program.shows(panels);
    press(program, 'j');
    press(program, 'enter', '\r');
    await program.shows(detail('modified'));
    press(program, 'escape', escape);
    await program.shows(panels);
    press(program, 'k');
    press(program, 'enter', '\r');
    await program.shows(detail('created'));
    press(program, 'escape', escape);
    await program.shows(panels);
    press(program, 'down', `${escape}[B`);
    press(program, 'up', `${escape}[A`);
    press(program, 'end', `${escape}[F`);
    press(program, 'enter', '\r');
    await program.shows(detail('modified'));
    press(program, 'escape', escape);
    await program.shows(panels);
    press(program, 'home', `${escape}[H`);
    press(program, 'enter', '\r');
    await program.shows(detail('created'));
    press(program, 'escape', escape);
    await program.shows(panels);

    press(program, '+');
    await program.shows((text) => text.includes('3 Files') && !text.includes('6 Events'));
    press(program, 'escape', escape);
    await program.shows(panels);
    press(program, '=');
    await program.shows((text) => !text.includes('6 Events'));
    press(program, '+');
    await program.shows('6 Events');
    press(program, 'Q');
    await program.shows('Q does nothing here; ? shows the keys');
  });

  test('the log: follow, pages, filter, timestamps', async () => {
    const { program } = await opened();
    // So that not all of the log is on screen.
    program.resize(120, 26);
    press(program, '6');
    await program.shows('follow ON');
    press(program, 'f');
    await program.shows('follow OFF');
    press(program, 'f');
    await program.shows('follow ON');
    press(program, 'pageup', `${escape}[5~`);
    await program.shows(/follow OFF.*/);
    press(program, 'g');
    await program.shows(/\d+ new ↓ G/);
    press(program, 'pagedown', `${escape}[6~`);
    press(program, 'space', ' ');
    press(program, 'G');
    await program.shows('follow ON');
    press(program, '/');
    await program.shows('filter: _');
    program.type('skill:*');
    await program.shows('filter: skill:*_');
    program.type('\r');
    await program.shows((text) => text.includes('filter: skill:*') && !text.includes('custom:thing'));
    press(program, '/');
    program.type('\x7f\x7f\x7f\x7f\x7f\x7f\x7f!lint\r');
    await program.shows(
      (text) => text.includes('filter: !lint') && text.includes('custom:thing') && !text.includes('lint failed: 3 problems │'),
    );
    press(program, 'escape', escape);
    await program.shows('filter: -');
    await program.shows('12:06:06.420');
    press(program, 't');
    await program.shows('+00:02:06');
    press(program, 't');
    await program.shows((text) => !text.includes('+00:02:06') && !text.includes('12:06:06.420'));
    press(program, 't');
    await program.shows('12:06:06.420');
  });

  test('the whole history pages in, in a bounded window, with the hole said', async () => {
    const server = await startServer();
    const events = Array.from({ length: 6_000 }, (_, index) => ({ type: 'custom:tick', data: { n: index + 1 } }));
    for (let at = 0; at < events.length; at += 500) await publish(server, 'run-long', events.slice(at, at + 500));
    const program = watch(server.url, ['run-long']);
    await program.shows('custom:tick n=6000');
    await program.shows(/of 200, 5,800 earlier ↑ k/);
    press(program, '6');
    // Up from the end: the pages before come as they are needed.
    for (let page = 0; page < 40; page++) program.type(`${escape}[5~`);
    await program.shows(/, (?:5,300|4,800) earlier/);
    press(program, 'g');
    await program.shows(/custom:tick n=1 /);
    await program.shows((text) => !text.includes('earlier'));
    program.type(`${escape}[6~`);
    // Down through a part of the history that was not here: no event is left out.
    for (let n = 1; n < 700;) {
      program.type(`${escape}[6~`);
      const text = await program.shows((shown) => Number(/custom:tick n=(\d+)/.exec(shown)?.[1]) > n);
      n = Number(/custom:tick n=(\d+)/.exec(text)?.[1]);
      const seen = [...text.matchAll(/custom:tick n=(\d+)/g)].map((found) => Number(found[1]));
      expect(seen).toEqual(seen.map((_, index) => n + index));
    }
    press(program, 'G');
    await program.shows(/custom:tick n=6000/);
    await program.shows('follow ON');
  });

  test('Enter shows an event whole: JSON over lines, a difference, the output of a check', async () => {
    const { server, program } = await opened();
    await publish(server, 'run-7f3a', [{ type: 'skill:completed', data: { skill_name: 'plan', result: { steps: [{ name: 'one' }] } } }]);
    await program.shows('plan done');
    press(program, '6');
    press(program, 'enter', '\r');
    await program.shows(/result +\{\s+│\n│ +"steps": \[\s+│\n│ +\{\s+│\n│ +"name": "one"/);
    press(program, 'escape', escape);
    await program.shows(panels);
    await publish(server, 'run-7f3a', [{ type: 'file:modified', data: { path: 'a.ts', diff: '@@ -1 +1 @@\n-old line\n+  new line' } }]);
    await program.shows('edited a.ts');
    press(program, 'enter', '\r');
    await program.shows(/diff +@@ -1 \+1 @@\s+│\n│ +-old line\s+│\n│ +\+ {2}new line/);
    press(program, 'escape', escape);
    await program.shows(panels);
    await publish(server, 'run-7f3a', [{ type: 'validation:result', data: { check_name: 'tests', success: false } }]);
    await program.shows('tests failed');
    press(program, 'enter', '\r');
    await program.shows('FAIL api.test.ts');
  });

  test('help comes from the key table, whole', async () => {
    const { program } = await opened();
    press(program, '?');
    const help = await program.shows((text) => text.includes('┌─ Help') && text.includes('cancel the rollback'));
    const cells = help.split('\n').map((row) => row.split('│'));
    const words = [1, 2]
      .flatMap((column) => cells.map((row) => row[column] ?? ''))
      .join(' ')
      .replace(/\s+/g, ' ');
    for (const binding of keyTable) expect(words).toContain(binding.does);
    press(program, '?');
    await program.shows('6 Events');
  });

  test('history: an event, a checkpoint, and back to live', async () => {
    const { program } = await opened();
    press(program, '[');
    await program.shows('HISTORY 18/19');
    press(program, ']');
    await program.shows('HISTORY 19/19');
    press(program, '{');
    await program.shows('HISTORY 12/19');
    await program.shows((text) => !text.includes('tests            failed'));
    press(program, '{');
    await program.shows('HISTORY 6/19');
    press(program, '}');
    await program.shows('HISTORY 12/19');
    press(program, 'n');
    await program.shows('HISTORY 15/19');
    press(program, 'n');
    await program.shows('HISTORY 17/19');
    press(program, 'N');
    await program.shows('HISTORY 15/19');
    press(program, 'l');
    await program.shows((text) => !text.includes('HISTORY'));
  });

  test('N looks back from the moment that one has gone to, also before its lines have come', async () => {
    const { program } = await opened();
    press(program, '{');
    await program.shows('HISTORY 12/19');
    await program.shows((text) => !text.includes('tests            failed'));
    // In one go: no answer of the server comes between these keys.
    program.type(']]]]]N');
    await program.shows('HISTORY 15/19');
  });

  test(': goes to a moment by time, to an event, sets the filter, and says what it does not know', async () => {
    const { program } = await opened();
    const line = async (text: string, wanted: string | RegExp) => {
      press(program, ':');
      await program.shows(/^ :_/m);
      program.type(`${text}\r`);
      await program.shows(wanted);
    };
    // The events are seven seconds apart; the last is at 12:06:06.
    await line('1m', 'HISTORY 9/19');
    await line('at 12:05:30', 'HISTORY 13/19');
    await line('-10s', 'HISTORY 17/19');
    await line('a 4', 'HISTORY 4/19');
    await line('at noon', 'noon is no moment');
    await line('s', 'several begin with "s": send, session');
    await line('xyz', 'no command begins with "xyz": at, filter, send, session');
    press(program, 'l');
    await program.shows((text) => !text.includes('HISTORY'));
    await line('f skill:*', 'filter: skill:*');
    await line('se', 'several begin with');
  });

  test(': sends a command, and opens the dialogs of those that ask first', async () => {
    const { server, program } = await opened({ orchestrator: true });
    press(program, ':');
    await program.shows(/^ :_/m);
    program.type('send halt lunch\r');
    await program.shows(/halted by .* lunch/);
    press(program, ':');
    await program.shows(/^ :_/m);
    program.type('send st\r');
    await program.shows('Stop run-7f3a?');
    expect((await commandsOf(server.url, 'run-7f3a')).map(({ command_type, parameters }) => [command_type, parameters])).toEqual([
      ['HALT', { reason: 'lunch' }],
    ]);
  });

  test('y copies over OSC 52 what is selected', async () => {
    const { program } = await opened();
    press(program, '3');
    press(program, 'y');
    // Nobody knows whether an xterm takes it.
    await program.shows('which may not take it: src/日本語');
    expect(program.raw).toContain(`\x1b]52;c;${Buffer.from('src/日本語/とても長い.ts').toString('base64')}\x1b\\`);
  });

  test('s leaves for a plain stream and comes back', async () => {
    const { server, program } = await opened();
    press(program, 's');
    await program.shows('plain stream of run-7f3a');
    expect(program.isFullScreen()).toBe(false);
    await publish(server, 'run-7f3a', [{ type: 'custom:while-plain', data: { n: 1 } }]);
    await program.shows('custom:while-plain n=1');
    press(program, 's');
    await program.shows('6 Events');
    expect(program.isFullScreen()).toBe(true);
  });

  test('q quits with 0 and leaves a summary on the restored screen', async () => {
    const { program } = await opened();
    press(program, 'q');
    expect(await program.ended()).toBe(0);
    expect(program.isFullScreen()).toBe(false);
    const left = program.rows().filter((row) => row !== '');
    expect(left).toHaveLength(4);
    expect(left[0]).toMatch(/^run-7f3a {2}running/);
    expect(left.at(-1)).toMatch(/^seen up to event 19 .* watch run-7f3a/);
  });

  test('Ctrl-C quits with 130', async () => {
    const { program } = await opened();
    press(program, 'ctrl-c', '\x03');
    expect(await program.ended()).toBe(130);
    expect(program.isFullScreen()).toBe(false);
  });

  test('Ctrl-Z gives the terminal back to the shell, fg takes it again', async () => {
    const server = await startServer();
    await publish(server, 'run-7f3a', runEvents);
    const program = watch(server.url, ['run-7f3a'], {
      command: ['bash', '--norc', '-i', '-c', `set -m; "$0" "$@"; echo IN-SHELL; fg; echo LEFT`, process.execPath, programPath],
    });
    await program.shows('wave-orchestration');
    press(program, 'ctrl-z', '\x1a');
    await program.until(
      () => program.raw.includes('IN-SHELL'),
      10_000,
      () => program.text(),
    );
    await program.shows('6 Events');
    press(program, 'q');
    await program.shows('LEFT');
  });
});

describe('keys that send', () => {
  test('H halts at once, R resumes', async () => {
    const { server, program } = await opened({ orchestrator: true });
    press(program, 'H');
    await program.shows(/‖ HALTED/);
    await program.shows(/HALT applied by orch-1/);
    press(program, 'R');
    await program.shows(/▶ RUNNING/);
    expect((await commandsOf(server.url, 'run-7f3a')).map((command) => command.command_type)).toEqual(['HALT', 'RESUME']);
  });

  test('B shows a preview; neither B nor Enter confirms, only y, and not within the grace', async () => {
    const { server, program } = await opened({ orchestrator: true });
    const real = async () =>
      (await commandsOf(server.url, 'run-7f3a')).filter(
        ({ command_type, parameters }) => command_type === 'ROLLBACK' && parameters['dry_run'] !== true,
      );
    press(program, 'B');
    await program.shows('src/new.ts (created)');
    program.type('y');
    await pressAfterGrace(program, 'B', 'B', 'B does nothing here');
    expect(await real()).toEqual([]);
    await pressAfterGrace(program, 'enter', '\r', '6 Events');
    expect(await real()).toEqual([]);
    await pressAfterGrace(program, 'B', 'B', 'src/new.ts (created)');
    await program.shows(/Back to cp-2: after wave 1 +│\n.*saved .* ago, at 12:05:17/);
    await pressAfterGrace(program, 'n', 'n', '6 Events');
    await pressAfterGrace(program, 'B', 'B', 'src/new.ts (created)');
    await pressAfterGrace(program, 'q', 'q', '6 Events');
    expect(await real()).toEqual([]);
    await pressAfterGrace(program, 'B', 'B', 'src/new.ts (created)');
    await pressAfterGrace(program, 'y', 'y', 'rolled back to cp-2');
    expect((await real()).map(({ parameters }) => parameters)).toEqual([{ checkpoint_id: 'cp-2' }]);
  });

  test('X asks; neither X nor Enter confirms, only y, and not within the grace', async () => {
    const { server, program } = await opened({ orchestrator: true });
    const sent = async () => (await commandsOf(server.url, 'run-7f3a')).map(({ command_type }) => command_type);
    press(program, 'X');
    await program.shows('Stop run-7f3a?');
    program.type('y');
    await pressAfterGrace(program, 'X', 'X', 'X does nothing here');
    await pressAfterGrace(program, 'enter', '\r', '6 Events');
    await pressAfterGrace(program, 'X', 'X', 'Stop run-7f3a?');
    await pressAfterGrace(program, 'n', 'n', '6 Events');
    expect(await sent()).toEqual([]);
    await pressAfterGrace(program, 'X', 'X', 'Stop run-7f3a?');
    await pressAfterGrace(program, 'y', 'y', 'STOP applied by orch-1');
    expect(await sent()).toEqual(['STOP']);
  });

  test('nothing is sent from the past: live comes first', async () => {
    const { server, program } = await opened({ orchestrator: true, decisions: true });
    for (const key of ['H', 'R', 'B', 'X', 'd', ':']) {
      program.type('[');
      await program.shows((text) => text.includes('HISTORY') && !text.includes('this is history'));
      program.type(key);
      if (key === ':') {
        await program.shows(/^ :_/m);
        program.type('send halt\r');
      }
      await program.shows('this is history: l goes back to live first');
      program.type('l');
      await program.shows((text) => !text.includes('HISTORY') && !text.includes('this is history'));
    }
    expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
  });

  test('X where nobody ends a program says so', async () => {
    const { server, program } = await opened();
    program.type('X');
    await program.shows('nobody takes a STOP here');
    expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
  });

  test('a dialog that was left by its user swallows no key; H acts within any', async () => {
    const { server, program } = await opened({ decisions: true, orchestrator: true });
    press(program, 'B');
    await program.shows('src/new.ts (created)');
    await pressAfterGrace(program, 'enter', '\r', '6 Events');
    program.type('R');
    await program.shows('RESUME rejected: Cannot resume - execution is running');
    press(program, 'd');
    await program.shows('choose 1-3, then Enter');
    press(program, 'H');
    await program.shows(/‖ HALTED/);
    await program.shows('choose 1-3, then Enter');
    press(program, 'escape', escape);
    await program.shows('d  decide this');
    press(program, 'R');
    await program.shows(/▶ RUNNING/);
    expect((await commandsOf(server.url, 'run-7f3a')).map(({ command_type }) => command_type)).toContain('HALT');
  });

  test('B where nobody rolls back says why, and the footer does not offer it', async () => {
    const { server, program } = await opened();
    expect(program.rows().at(-1)).not.toContain('rollback');
    program.type('B');
    await program.shows('no program is connected that could undo anything');
    await pressAfterGrace(program, 'enter', '\r', '6 Events');
    const { connectOrchestrator } = await import('../../src/client/orchestrator/orchestrator.ts');
    await using orchestrator = await connectOrchestrator({ url: server.url, session: 'run-7f3a', instanceId: 'orch-2' });
    await orchestrator.emit('execution:progress', { message: 'somebody is here' });
    await program.shows(/^.*somebody is here/m);
    expect(program.rows().at(-1)).not.toContain('rollback');
    program.type('B');
    await program.shows(/Cannot be rolled back now:.*\n.*ROLLBACK/);
    orchestrator.onCommand('ROLLBACK', () => null);
    await pressAfterGrace(program, 'enter', '\r', '6 Events');
    await program.shows((text) => text.includes('B rollback'));
  });

  test('d opens the oldest decision; digits highlight, Enter sends, nothing is preselected', async () => {
    const { server, program } = await opened({ decisions: true });
    const decisions = async () => (await commandsOf(server.url, 'run-7f3a')).map(({ parameters }) => parameters);
    press(program, 'd');
    await program.shows('choose 1-3, then Enter');
    program.type('2\r');
    await pressAfterGrace(program, 'enter', '\r', 'nothing is chosen yet');
    expect(await decisions()).toEqual([]);
    press(program, '9');
    await program.shows('there is no option 9');
    press(program, '0');
    press(program, '7');
    press(program, '8');
    press(program, '2');
    await program.shows('Enter sends option 2');
    expect(await decisions()).toEqual([]);
    press(program, 'enter', '\r');
    await program.shows(/chose "skip"/);
    await program.shows('Which database?');
    expect(await decisions()).toEqual([{ decision_id: 'd-1', choice: 'skip' }]);
  });
});

test('arrows choose an option, Tab another decision, and a comment goes with the answer', async () => {
  const { server, program } = await opened({ decisions: true });
  press(program, 'd');
  await program.shows('choose 1-3, then Enter');
  await pressAfterGrace(program, 'down', `${escape}[B`, 'Enter sends option 1');
  press(program, 'j');
  await program.shows('Enter sends option 2');
  press(program, 'k');
  await program.shows('Enter sends option 1');
  press(program, 'tab', '\t');
  await program.shows((text) => text.includes('Which database?  ') && text.includes('choose 1-2, then Enter'));
  press(program, 'left', `${escape}[D`);
  await program.shows('choose 1-3, then Enter');
  press(program, 'right', `${escape}[C`);
  await program.shows('choose 1-2, then Enter');
  press(program, 'shift-tab', `${escape}[Z`);
  await program.shows('choose 1-3, then Enter');
  press(program, 'tab', '\t');
  await program.shows('choose 1-2, then Enter');
  press(program, 'up', `${escape}[A`);
  await program.shows('Enter sends option 2');
  press(program, 'c');
  await program.shows('comment: _');
  program.type('no server: Hx\x7f');
  await program.shows('comment: no server: H_');
  press(program, 'enter', '\r');
  await program.shows((text) => text.includes('comment: no server: H ') && text.includes('Enter sends option 2'));
  press(program, 'c');
  program.type('!');
  await program.shows('comment: no server: H!_');
  press(program, 'escape', escape);
  await program.shows((text) => text.includes('comment: no server: H ') && text.includes('Enter sends option 2'));
  press(program, 'enter', '\r');
  await program.shows(/chose "sqlite"/);
  expect((await commandsOf(server.url, 'run-7f3a')).map(({ parameters }) => parameters)).toEqual([
    { decision_id: 'd-2', choice: 'sqlite', comment: 'no server: H' },
  ]);
});

test('the overview: Enter opens a session, Esc comes back', async () => {
  const server = await startServer();
  await publish(server, 'run-a', [{ type: 'execution:started', data: {} }]);
  await publish(server, 'run-b', [{ type: 'execution:started', data: {} }, ...decisionEvents]);
  const program = watch(server.url);
  await program.shows('Sessions');
  const text = await program.shows((shown) => shown.includes('run-a') && shown.includes('run-b'));
  expect(text.indexOf('run-b')).toBeLessThan(text.indexOf('run-a'));
  press(program, 'enter', '\r');
  await program.shows('5 Decision 1 of 2');
  press(program, 'escape', escape);
  await program.shows('┌─ Sessions');
  press(program, 'j');
  press(program, 'enter', '\r');
  await program.shows((shown) => shown.startsWith(' run-a') && shown.includes('1 Skills'));
});

test('the overview: n goes to who needs a human, / finds, m marks several for H and R', async () => {
  const server = await startServer();
  const started = { type: 'execution:started', data: {} };
  for (const id of ['calm-1', 'calm-2']) {
    await publish(server, id, [started]);
    await attachOrchestrator(server.url, id);
  }
  await publish(server, 'asks-1', [started, ...decisionEvents]);
  await publish(server, 'stands-1', [started, { type: 'execution:halted', data: {} }]);
  await publish(server, 'over-1', [started, { type: 'execution:failed', data: { error: 'out of memory' } }]);
  const program = watch(server.url);
  await program.shows(/NEEDS YOU 2[^]*asks-1[^]*stands-1[^]*WORKING 2[^]*calm-2[^]*calm-1[^]*ENDED 1[^]*over-1/);
  await program.shows('2 need you  2 working  1 ended');
  press(program, 'n');
  await program.shows('2 of 5');
  press(program, 'n');
  await program.shows('1 of 5');

  press(program, '/');
  await program.shows('sessions with: _');
  program.type('calm');
  await program.shows((text) => text.includes('calm-1') && !text.includes('asks-1'));
  program.type('\r');
  await program.shows('Sessions  with: calm');
  press(program, 'm');
  press(program, 'j');
  press(program, 'm');
  await program.shows('2 marked');
  press(program, 'H');
  await program.shows('HALT: taken by 2 of 2 sessions');
  await program.shows((text) => (text.match(/‖ HALTED +calm-/g) ?? []).length === 2);
  press(program, 'R');
  await program.shows((text) => (text.match(/▶ RUNNING +calm-/g) ?? []).length === 2);
  press(program, 'm');
  await program.shows('1 marked');
  press(program, 'escape', escape);
  await program.shows((text) => !text.includes('marked') && text.includes('with: calm'));
  press(program, 'escape', escape);
  await program.shows('asks-1');
  for (const id of ['calm-1', 'calm-2']) {
    expect((await commandsOf(server.url, id)).map(({ command_type }) => command_type)).toEqual(['HALT', 'RESUME']);
  }
});

test('with --readonly keys that send are hidden and refused', async () => {
  const server = await startServer();
  await publish(server, 'run-7f3a', [...runEvents, ...decisionEvents]);
  const program = watch(server.url, ['run-7f3a', '--readonly']);
  await program.shows('read only: somebody else decides');
  expect(program.rows().at(-1)).not.toMatch(/halt|decide|rollback/);
  for (const key of ['H', 'R', 'B', 'X', 'd']) {
    program.type(key);
    await program.shows(`${key} does nothing: this dashboard is read only`);
  }
  expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
});

test('every key of the table was pressed above', () => {
  expect(keyTable.flatMap((binding) => binding.keys).filter((key) => !tried.has(key))).toEqual([]);
});
