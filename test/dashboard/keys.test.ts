import { describe, expect, test, vi } from 'vitest';
import { keyTable } from '../../src/dashboard/keys/key-table.ts';
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

/** Presses a key until the screen answers: within the grace after a change of a prompt keys do nothing, as they should. */
async function pressUntil(program: WatchedProgram, name: string, bytes: string, wanted: string | RegExp): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    press(program, name, bytes);
    try {
      await program.shows(wanted, attempt < 20 ? 250 : 5_000);
      return;
    } catch (error) {
      if (attempt >= 20) throw error;
    }
  }
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

  test('help comes from the key table, whole', async () => {
    const { program } = await opened();
    program.resize(120, 60);
    press(program, '?');
    const help = await program.shows((text) => text.includes('┌─ Help') && text.includes('cancel the rollback'));
    for (const binding of keyTable) expect(help).toContain(binding.does);
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
    press(program, 'l');
    await program.shows((text) => !text.includes('HISTORY'));
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

  test('q quits with 0 and leaves a summary of five lines on the restored screen', async () => {
    const { program } = await opened();
    press(program, 'q');
    expect(await program.ended()).toBe(0);
    expect(program.isFullScreen()).toBe(false);
    const left = program.rows().filter((row) => row !== '');
    expect(left).toHaveLength(5);
    expect(left[0]).toMatch(/^run-7f3a {2}running/);
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
    await pressUntil(program, 'B', 'B', 'B does nothing here');
    expect(await real()).toEqual([]);
    await pressUntil(program, 'enter', '\r', '6 Events');
    expect(await real()).toEqual([]);
    await pressUntil(program, 'B', 'B', 'src/new.ts (created)');
    await pressUntil(program, 'n', 'n', '6 Events');
    await pressUntil(program, 'B', 'B', 'src/new.ts (created)');
    await pressUntil(program, 'q', 'q', '6 Events');
    expect(await real()).toEqual([]);
    await pressUntil(program, 'B', 'B', 'src/new.ts (created)');
    await pressUntil(program, 'y', 'y', 'rolled back to cp-2');
    expect((await real()).map(({ parameters }) => parameters)).toEqual([{ checkpoint_id: 'cp-2' }]);
  });

  test('a dialog that was left by its user swallows no key; H acts within any', async () => {
    const { server, program } = await opened({ decisions: true, orchestrator: true });
    press(program, 'B');
    await program.shows('src/new.ts (created)');
    await pressUntil(program, 'enter', '\r', '6 Events');
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
    await program.shows('no orchestrator is attached that could undo anything');
    await pressUntil(program, 'enter', '\r', '6 Events');
    const { connectOrchestrator } = await import('../../src/client/orchestrator/orchestrator.ts');
    await using orchestrator = await connectOrchestrator({ url: server.url, session: 'run-7f3a', instanceId: 'orch-2' });
    await orchestrator.emit('execution:progress', { message: 'somebody is here' });
    await program.shows(/^.*somebody is here/m);
    expect(program.rows().at(-1)).not.toContain('rollback');
    program.type('B');
    await program.shows(/Cannot be rolled back now:.*\n.*ROLLBACK/);
    orchestrator.onCommand('ROLLBACK', () => null);
    await pressUntil(program, 'enter', '\r', '6 Events');
    await program.shows((text) => text.includes('B rollback'));
  });

  test('d opens the oldest decision; digits highlight, Enter sends, nothing is preselected', async () => {
    const { server, program } = await opened({ decisions: true });
    const decisions = async () => (await commandsOf(server.url, 'run-7f3a')).map(({ parameters }) => parameters);
    press(program, 'd');
    await program.shows('choose 1-3, then Enter');
    program.type('2\r');
    await pressUntil(program, 'enter', '\r', 'nothing is chosen yet');
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

test('with --readonly keys that send are hidden and refused', async () => {
  const server = await startServer();
  await publish(server, 'run-7f3a', [...runEvents, ...decisionEvents]);
  const program = watch(server.url, ['run-7f3a', '--readonly']);
  await program.shows('read only: somebody else decides');
  expect(program.rows().at(-1)).not.toMatch(/halt|decide|rollback/);
  for (const key of ['H', 'R', 'B', 'd']) {
    program.type(key);
    await program.shows(`${key} does nothing: this dashboard is read only`);
  }
  expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
});

test('every key of the table was pressed above', () => {
  expect(keyTable.flatMap((binding) => binding.keys).filter((key) => !tried.has(key))).toEqual([]);
});
