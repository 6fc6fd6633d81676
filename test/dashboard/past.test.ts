import { expect, test, vi } from 'vitest';
import { journalAsOf, publish, startServer } from '../helpers/start-server.ts';
import { decisionEvents, runEvents } from './scripted-run.ts';
import { watch } from './watch.ts';
import type { WatchedProgram } from './watched-program.ts';

vi.setConfig({ testTimeout: 90_000 });

const escape = '\x1b';
const pageUp = `${escape}[5~`;

/** A failure, then so many other events that no page of the log that comes by itself has it. */
async function longRun() {
  const server = await startServer();
  const ticks = Array.from({ length: 3_000 }, (_, index) => ({ type: 'custom:tick', data: { n: index + 1 } }));
  const events = [
    { type: 'execution:started', data: { task: 'Count' } },
    { type: 'checkpoint:created', data: { checkpoint_id: 'cp-1', label: 'before all' } },
    { type: 'skill:failed', data: { skill_name: 'lint', error: '3 problems' } },
    ...ticks.slice(0, 1_000),
    { type: 'validation:result', data: { check_name: 'unit', success: false, message: 'none passed' } },
    ...ticks.slice(1_000),
  ];
  for (let at = 0; at < events.length; at += 500) await publish(server, 'run-long', events.slice(at, at + 500));
  const program = watch(server.url, ['run-long']);
  await program.shows('custom:tick n=3000');
  await program.shows(/of 200, 2,804 earlier/);
  return { server, program };
}

/** The text of the row that is turned round. */
function selected(program: WatchedProgram): string {
  const from = program.raw.lastIndexOf(`${escape}[7m`);
  return program.raw.slice(from, program.raw.indexOf(`${escape}[27m`, from));
}

async function selects(program: WatchedProgram, wanted: RegExp): Promise<void> {
  await program.until(
    () => wanted.test(selected(program)),
    30_000,
    () => `the selection never was on ${String(wanted)}, but on ${selected(program)}:\n${program.text()}`,
  );
}

test('repeated progress is one line with a count, what has ended says how long it took', async () => {
  const server = await startServer();
  const at = (second: number) => new Date(Date.UTC(2026, 0, 2, 12, 0, second)).toISOString();
  const progress = (n: number) => ({ type: 'skill:progress', data: { skill_name: 'build', progress: n }, timestamp: at(n) });
  await journalAsOf(server, 'run-fold', [
    { type: 'skill:started', data: { skill_name: 'build' }, timestamp: at(0) },
    ...[1, 2, 3].map(progress),
    { type: 'custom:between', data: {}, timestamp: at(3) },
    ...[4, 5].map(progress),
  ]);
  const program = watch(server.url, ['run-fold']);
  await program.shows(/build started[^]*custom:between[^]*build 5% +×5 │/);
  expect(program.text()).not.toContain('build 4%');
  await publish(server, 'run-fold', [{ type: 'skill:progress', data: { skill_name: 'build', progress: 6 } }]);
  await program.shows((text) => /build 6% +×6 │/.test(text) && !text.includes('×5'));
  await publish(server, 'run-fold', [{ type: 'skill:completed', data: { skill_name: 'build' } }]);
  await program.shows('build done');
  await publish(server, 'run-fold', [
    { type: 'skill:started', data: { skill_name: 'build' } },
    { type: 'skill:progress', data: { skill_name: 'build', progress: 7 } },
  ]);
  // It began at noon on the second of January.
  await program.shows(/build 6% +×6 │\n.*build done in \d+d.*\n.*build started.*\n.*build 7% +│/);
});

test('a selected line that folds into a later one leaves the selection where it was', async () => {
  const server = await startServer();
  const ticks = Array.from({ length: 50 }, (_, index) => ({ type: 'custom:tick', data: { n: index + 1 } }));
  const progress = (n: number) => ({ type: 'skill:progress', data: { skill_name: 'build', progress: n } });
  await publish(server, 'run-fold', [{ type: 'skill:started', data: { skill_name: 'build' } }, ...ticks]);
  const program = watch(server.url, ['run-fold']);
  await program.shows('custom:tick n=50');
  await publish(server, 'run-fold', [progress(1), ...ticks.slice(0, 2)]);
  await program.shows(/build 1%[^]*n=2 /);
  program.type('6kk');
  await selects(program, /build 1%/);
  await publish(server, 'run-fold', [progress(2)]);
  await program.shows(/build 2% +×2 /);
  await selects(program, /tick n=1 /);
  program.type('k');
  await selects(program, /tick n=50 /);
});

test('N and n go to failures, however far, and with a filter to what passes it', async () => {
  const { program } = await longRun();
  program.type('N');
  await selects(program, /unit failed: none passed/);
  await program.shows(/follow OFF[^]*n=1000 [^]*unit failed[^]*n=1001 /);
  program.type('N');
  await selects(program, /lint failed/);
  program.type('N');
  await program.shows('no failure before this');
  program.type('n');
  await selects(program, /unit failed/);
  program.type('n');
  await program.shows('no failure after this');
  // From the selected event into the past, and back.
  program.type('[');
  await program.shows('HISTORY 1,003/3,004');
  program.type('l');
  await program.shows(/follow ON/);
  program.type('N');
  await selects(program, /unit failed/);
  program.type('G');
  await program.shows(/follow ON[^]*n=3000 /);
  program.type('/');
  await program.shows('filter: _');
  program.type('n=17\r');
  await program.shows('filter: n=17 ');
  // The hits nearest to the newest lie before the lines at hand.
  program.type('N');
  await selects(program, /tick n=1799 /);
  program.type('N');
  await selects(program, /tick n=1798 /);
  program.type('n');
  await selects(program, /tick n=1799 /);
});

test('in the past n moves the whole screen, and the history pages in up to the moment', async () => {
  const { program } = await longRun();
  program.type('{');
  await program.shows(/HISTORY 2\/3,004[^]*6 Events {2}up to 2 /);
  program.type('n');
  await program.shows(/HISTORY 3\/3,004[^]*lint +failed/);
  program.type('n');
  await program.shows(/HISTORY 1,004\/3,004[^]*unit +failed/);
  await program.shows(/-300 of 300, 704 earlier[^]*unit failed: none passed +│\n└─/);
  program.type('6');
  for (let page = 0; page < 25; page++) program.type(pageUp);
  await program.shows((text) => /n=\d+ /.test(text) && /later ↓ G, 204 earlier/.test(text));
  program.type('g');
  await program.shows(/later ↓ G[^]*started: Count/);
  program.type('G');
  await program.shows(/n=1000 [^]*unit failed: none passed +│\n└─/);
  program.type('N');
  await program.shows('HISTORY 3/3,004');
  program.type('l');
  await program.shows((text) => !text.includes('HISTORY') && text.includes('follow ON') && text.includes('n=3000 '));
});

test('the past shows the decision of that moment whole, and what became of it', async () => {
  const server = await startServer();
  const context = { reason: 'the schema is old' };
  const asked = decisionEvents.map((event, index) => (index === 0 ? { ...event, data: { ...event.data, context } } : event));
  await journalAsOf(server, 'run-7f3a', [
    ...runEvents,
    ...asked,
    { type: 'decision:made', data: { decision_id: 'd-1', choice: 'skip', made_by: 'ana' }, timestamp: '2026-01-02T12:07:30.000Z' },
    { type: 'custom:after', data: {}, timestamp: '2026-01-02T12:07:31.000Z' },
  ]);
  const program = watch(server.url, ['run-7f3a', '--at', '21']);
  await program.shows(/Decision 1 of 2[^]*Migrate the users table now\?[^]*the schema is old[^]*\[1\] migrate {3}\[2\] skip/);
  await program.shows('since then "skip" by ana after 1m00s');
  program.type('5\r');
  await program.shows(
    /question +Migrate the users[^]*\[2\] skip[^]*since then "skip"[^]*question +Which database\?[^]*it is still open now/,
  );
  program.type(escape);
  await program.shows('6 Events');
  program.type('d');
  await program.shows('this is history: l goes back to live first');
});

test('Enter on a skill, a file or a tool brings its last event whole: a result, a difference', async () => {
  const server = await startServer();
  const others = Array.from({ length: 400 }, (_, index) => ({ type: 'custom:tick', data: { n: index + 1 } }));
  await publish(server, 'run-7f3a', [
    { type: 'skill:started', data: { skill_name: 'plan' } },
    { type: 'skill:completed', data: { skill_name: 'plan', result: { steps: ['one'] } } },
    { type: 'file:modified', data: { path: 'a.ts', diff: '@@ -1 +1 @@\n-old line\n+new line' } },
    { type: 'file:modified', data: { path: 'b.ts' } },
    ...others,
  ]);
  const program = watch(server.url, ['run-7f3a']);
  await program.shows('custom:tick n=400');
  program.type('1\r');
  await program.shows(/event +2 {2}skill:completed[^]*result +\{\s+│\n│ +"steps": \[/);
  program.type(escape);
  await program.shows('6 Events');
  program.type('3j\r');
  await program.shows(/┌─ a\.ts [^]*event +3 {2}file:modified[^]*diff +@@ -1 \+1 @@\s+│\n│ +-old line/);
});
