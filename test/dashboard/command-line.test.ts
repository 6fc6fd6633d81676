import { expect, test, vi } from 'vitest';
import { candidatesFor } from '../../src/dashboard/keys/typing/candidates.ts';
import { journalAsOf, publish, startServer } from '../helpers/start-server.ts';
import { decisionEvents, attachOrchestrator, commandsOf, runEvents } from './scripted-run.ts';
import { modelOf, screenRows, stateOf, runJournal } from './screen-models.ts';
import { watch } from './watch.ts';

vi.setConfig({ testTimeout: 90_000 });

const escape = '\x1b';
const [up, down] = [`${escape}[A`, `${escape}[B`];

async function opened() {
  const server = await startServer();
  await journalAsOf(server, 'run-7f3a', [...runEvents, ...decisionEvents]);
  await publish(server, 'other-9', [{ type: 'execution:started', data: { task: 'Write the docs' } }]);
  await attachOrchestrator(server.url, 'run-7f3a');
  const program = watch(server.url);
  await program.shows('run-7f3a');
  program.type('\r');
  await program.shows('6 Events');
  const line = async () => {
    program.type(':');
    await program.shows(/^ :_/m);
  };
  return { server, program, line };
}

test('Tab completes what the letters fit, and the arrows choose: moments, filters, sessions', async () => {
  const { program, line } = await opened();
  await line();
  await program.shows(/Tab takes the first[^]*│ at .*\n│ filter .*\n│ session .*\n│ send .*\n└─/);
  program.type('t');
  await program.shows((text) => /^ :t_/m.test(text) && !text.includes('│ session'));
  program.type('\t');
  await program.shows(/│ cp-2 +after wave 1 .*\n│ cp-1 +after the spec .*\n└─.*\n :at _/);
  program.type('spec');
  await program.shows((text) => / :at spec_/.test(text) && !text.includes('cp-2 '));
  program.type('\t');
  await program.shows(/^ :at 6_/m);
  program.type('\r');
  await program.shows('HISTORY 6/');
  program.type('l');
  await program.shows('● live');

  await line();
  program.type('flt');
  program.type('\t');
  await program.shows(/^ :filter _/m);
  program.type(`${down}${down}`);
  await program.shows('Enter takes it');
  program.type(`${up}${down}\r`);
  await program.shows('filter: skill:*');

  await line();
  program.type('ses');
  program.type('\t');
  await program.shows(/│ run-7f3a +running[^]*│ other-9 +running  Write the docs/);
  program.type('dcs');
  await program.shows((text) => / :session dcs_/.test(text) && !text.includes('│ run-7f3a'));
  program.type('\t\r');
  await program.shows(/^ other-9 /m);
});

test('what is sent can be chosen step by step, is never guessed from letters alone, and slips are told', async () => {
  const { server, program, line } = await opened();
  const sent = async () => (await commandsOf(server.url, 'run-7f3a')).map(({ command_type, parameters }) => [command_type, parameters]);
  await line();
  program.type('snd ');
  program.type('hlt\r');
  await program.shows('no command is called "HLT". Did you mean HALT?');
  await line();
  program.type('sned');
  await program.shows(/Tab takes the first[^\n]*\n│ send .*\n└─.*\n :sned_/);
  program.type('\r');
  await program.shows('no command is called "sned". Did you mean send?');
  expect(await sent()).toEqual([]);

  await line();
  program.type('send');
  program.type('\t');
  await program.shows(/│ HALT .*\n│ RESUME /);
  program.type('dec');
  await program.shows(/^ :send dec_/m);
  // Down chooses it, Enter takes it, and what it needs is chosen next.
  program.type(`${down}\r`);
  await program.shows(/│ d-1 +Migrate the users table now\? .*\n│ d-2 +Which database\?/);
  program.type(`${down}${down}\r`);
  await program.shows(/│ pg .*\n│ sqlite .*\n└─.*\n :send DECISION d-2 _/);
  program.type(`${down}${down}\r`);
  await program.shows('chose "sqlite"');
  expect(await sent()).toEqual([['DECISION', { decision_id: 'd-2', choice: 'sqlite' }]]);

  await line();
  program.type('send red');
  program.type('\t');
  await program.shows(/│ spec-analysis .*[^]* :send REDIRECT _/);
  program.type(`lint${escape}`);
  await program.shows((text) => !text.includes('REDIRECT'));
  expect(await sent()).toHaveLength(1);
});

test('nothing to send is offered to who may only watch, and without a session no moment', () => {
  const state = stateOf(runJournal);
  const labels = (typed: string, isReadonly: boolean, at: typeof state | undefined = state) =>
    candidatesFor(typed, { state: at, sessions: [state], isReadonly }).map(({ label }) => label);
  expect(labels('', true)).toEqual(['at', 'filter', 'session']);
  expect(labels('send ', true)).toEqual([]);
  expect(candidatesFor('', { state: undefined, sessions: [state], isReadonly: false }).map(({ label }) => label)).toEqual([
    'filter',
    'session',
  ]);
  expect(labels('constructor ', false)).toEqual([]);
  expect(labels('12m', false)).toEqual([]);
});

test.each([
  [120, 40],
  [80, 24],
  [60, 20],
  [40, 10],
])('the list fits a window of %ix%i, whatever is chosen', (columns, rows) => {
  const state = stateOf(runJournal);
  const candidates = candidatesFor('filter ', { state, sessions: [], isReadonly: false });
  for (const commandChoice of [null, 0, 7, candidates.length - 1]) {
    const text = screenRows(modelOf({ columns, rows, candidates, ui: { commandInput: 'filter ', commandChoice } })).join('\n');
    expect(text).toContain(candidates[commandChoice ?? 0]?.label);
    expect(text).toMatch(/:filter _/);
  }
});
