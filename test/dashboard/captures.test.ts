import { test, vi } from 'vitest';
import { journalAsOf, startServer } from '../helpers/start-server.ts';
import { captured, recent } from './captured.ts';
import { decisionEvents, runEvents } from './scripted-run.ts';
import { watch } from './watch.ts';

vi.setConfig({ testTimeout: 90_000 });

test.each([
  [160, 45],
  [120, 40],
  [80, 24],
  [60, 20],
  [38, 9],
])('the screen at %ix%i', async (columns, rows) => {
  const server = await startServer();
  await journalAsOf(server, 'run-7f3a', recent([...runEvents, ...decisionEvents]));
  const program = watch(server.url, ['run-7f3a', '--readonly'], { columns, rows });
  await program.shows(rows < 10 ? 'q quit' : /● live \d+ms/);
  await program.shows(rows < 10 ? '2 decisions' : columns >= 80 ? 'asks: Which database?' : '1 Skills');
  await captured(program, `run-${columns}x${rows}`);
});

test.each([
  [160, 45],
  [120, 40],
  [80, 24],
  [60, 20],
])('the overview at %ix%i', async (columns, rows) => {
  const server = await startServer();
  const started = (task: string) => ({ type: 'execution:started', data: { task }, timestamp: '2026-01-02T12:04:00.000Z' });
  const used = { type: 'usage:reported', data: { input_tokens: 48_200, output_tokens: 3_100, cost_usd: 0.42, model: 'model-1' } };
  const sessions = new Map([
    ['docs', [started('Write the manual'), { type: 'execution:completed', data: { result: 'all written' } }]],
    ['nightly', [started('npm test'), { type: 'execution:failed', data: { error: '3 of 214 tests failed' } }]],
    ['import', [started('Import the orders'), { type: 'execution:progress', data: { progress: 42, message: 'part 5 of 12' } }]],
    ['run-7f3a', [...runEvents, ...decisionEvents]],
    ['refactor', [started('Split the parser'), used, { type: 'execution:halted', data: { initiated_by: 'ana', reason: 'lunch' } }]],
  ]);
  for (const [id, events] of sessions) {
    const timed = events.map((event, index) => ({ timestamp: `2026-01-02T12:10:${10 + index}.000Z`, ...event }));
    await journalAsOf(server, id, recent(timed));
  }
  const program = watch(server.url, ['--readonly'], { columns, rows });
  await program.shows(/● live \d+ms/);
  await program.shows((text) => ['docs', 'nightly', 'import', 'run-7f3a', 'refactor'].every((id) => text.includes(id)));
  await captured(program, `overview-${columns}x${rows}`);
});

test.each([
  [120, 40],
  [80, 24],
  [60, 20],
])('a moment of the past, and the command line, at %ix%i', async (columns, rows) => {
  const server = await startServer();
  const made = { type: 'decision:made', data: { decision_id: 'd-1', choice: 'skip', made_by: 'ana' } };
  await journalAsOf(server, 'run-7f3a', recent([...runEvents, ...decisionEvents, { ...made, timestamp: '2026-01-02T12:07:30.000Z' }]));
  const program = watch(server.url, ['run-7f3a', '--at', '20'], { columns, rows });
  await program.shows('since then "skip" by ana');
  await captured(program, `past-${columns}x${rows}`);
  program.type(':');
  await program.shows('Tab takes the first');
  program.type('sen');
  program.type('\t');
  await program.shows('stand still at once');
  program.type('\x1b[B');
  await program.shows('Enter takes it');
  await captured(program, `command-line-${columns}x${rows}`);
});
