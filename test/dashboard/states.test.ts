import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openConnection } from '../../src/client/connection/connection.ts';
import { Feed } from '../../src/feed/feed.ts';
import { publish, startServer } from '../helpers/start-server.ts';
import { attachOrchestrator, commandsOf, decisionEvents, runEvents } from './scripted-run.ts';
import { captured } from './captured.ts';
import { watch } from './watch.ts';

vi.setConfig({ testTimeout: 90_000 });

async function opened(columns: number, rows: number, events: unknown[], ...args: string[]) {
  const server = await startServer();
  await publish(server, 'run-7f3a', events);
  const program = watch(server.url, ['run-7f3a', ...args], { columns, rows });
  const isInThePast = args.includes('--at');
  await program.shows(isInThePast ? /HISTORY/ : /● live \d+ms/);
  if (rows >= 24) await program.shows(columns >= 100 && !isInThePast ? 'custom:thing' : '6 Events');
  return { server, program };
}

test('an empty server, and the first session that comes', async () => {
  const server = await startServer();
  const program = watch(server.url, [], { columns: 80, rows: 24 });
  await program.shows(`shannon-dash run --url ${server.url} -- npm test`);
  await program.shows(/● live \d+ms/);
  await captured(program, 'no-session-80x24');
  await publish(server, 'run-1', [{ type: 'execution:started', data: {} }]);
  await program.shows(/▶ RUNNING +run-1/);
});

test('a feed tells what a session has used in the last steps of ten seconds, from when it is watched on', async () => {
  const server = await startServer();
  const used = (input_tokens: number) => [{ type: 'usage:reported', data: { input_tokens, output_tokens: 0 } }];
  await publish(server, 'run-7f3a', used(70_000));
  const feed = new Feed(openConnection({ url: server.url }), 'run-7f3a', { onNews: () => undefined, onEvents: () => undefined });
  onTestFinished(() => feed.close());
  await feed.joined;
  await publish(server, 'run-7f3a', used(500));
  await publish(server, 'run-7f3a', used(200));
  await vi.waitFor(() => expect(feed.state('run-7f3a')?.usage.input_tokens).toBe(70_700), 10_000);
  // A step counts once it is over.
  expect(feed.lastTokens(Date.now() + 10_000, 60, 'run-7f3a').reduce((sum, tokens) => sum + tokens, 0)).toBe(700);
  expect(feed.lastTokens(Date.now(), 60, 'run-none')).toEqual([]);
});

test('connecting, before there is a server', async () => {
  const program = watch('http://nowhere.invalid', ['run-7f3a'], { columns: 80, rows: 24 });
  await program.shows('◌ connecting to http://nowhere.invalid');
  await program.shows('shannon-dash serve');
  program.type('H');
  await program.shows(/HALT not sent: not connected|no session/);
});

test('a server that goes and comes back: stale, refused aloud, then live without a gap', async () => {
  const { server, program } = await opened(120, 40, runEvents);
  await server.close();
  await program.shows(/◌ reconnecting \d+/);
  await program.shows('1 Skills 1/6 (stale)');
  program.type('H');
  await program.shows('HALT not sent: not connected, and nothing is queued');
  await server.restart();
  await program.shows(/● live \d+ms/);
  await publish(server, 'run-7f3a', [{ type: 'execution:progress', data: { progress: 88, message: 'back again' } }]);
  await program.shows('88% back again');
  expect(await commandsOf(server.url, 'run-7f3a')).toEqual([]);
});

test('a decision race: what somebody else answered closes the prompt, says so, and never takes the keys for the next one', async () => {
  const { server, program } = await opened(120, 40, [...runEvents, ...decisionEvents]);
  program.type('d');
  await program.shows('choose 1-3, then Enter');
  const rival = await fetch(`${server.url}/api/sessions/run-7f3a/commands`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'DECISION', decision_id: 'd-1', choice: 'migrate' }),
  });
  expect(rival.status).toBe(200);
  // As somebody types who has not seen it yet.
  program.type('1\r');
  await program.shows(/already made: "migrate"/);
  await program.shows('Which database?');
  await program.shows('d  decide this');
  const answered = (await commandsOf(server.url, 'run-7f3a')).map(({ parameters }) => parameters['decision_id']);
  expect(answered).toEqual(['d-1']);
});

test('a newer decision does not cover the one on screen', async () => {
  const { server, program } = await opened(120, 40, [...runEvents, decisionEvents[0]]);
  program.type('d');
  await program.shows('choose 1-3, then Enter');
  await publish(server, 'run-7f3a', [decisionEvents[1]]);
  const text = await program.shows('Decision 1 of 2');
  expect(text).toContain('Migrate the users table now?');
  expect(text).not.toContain('[1] pg');
});

test('with --bell decisions ring once, and so does the end', async () => {
  const { server, program } = await opened(80, 24, runEvents, '--bell');
  await publish(server, 'run-7f3a', decisionEvents);
  await program.shows('! 2 decisions');
  await publish(server, 'run-7f3a', [{ type: 'execution:progress', data: { message: 'later' } }]);
  await program.shows('later');
  // The end is told too, also when it ends the watch.
  await publish(server, 'run-7f3a', [{ type: 'validation:result', data: { check_name: 'tests', success: true } }]);
  await publish(server, 'run-7f3a', [{ type: 'execution:failed', data: { error: 'out of memory' } }]);
  await program.shows('out of memory');
  program.type('q');
  await program.ended();
  const notified = Array.from(program.raw.matchAll(/\x1b\]9;([^\x1b]*)\x1b\\(\x07?)/g), ([, text, bell]) => [text, bell]);
  expect(notified).toEqual([
    ['shannon-dash: decisions to make: 2: run-7f3a reviewer asks: Migrate the users table now?', '\x07'],
    ['shannon-dash: run-7f3a failed: out of memory', '\x07'],
  ]);
  expect(program.raw.split('\x07').length - 1).toBe(2);
});

test('halting is followed from sent to halted by whom; a lost orchestrator is not a stopped one', async () => {
  const { server, program } = await opened(120, 40, runEvents);
  const orchestrator = await attachOrchestrator(server.url, 'run-7f3a');
  const release = Promise.withResolvers<void>();
  orchestrator.onCommand('HALT', () => release.promise);
  program.type('H');
  await program.shows(/‖ HALTING[^]*HALT by .*: sent > delivered >/);
  release.resolve();
  await program.shows(/‖ HALTED[^]*halted by /);
  await orchestrator.close();
  await program.shows('the program is gone without a word, last seen');
  expect(program.text()).toContain('‖ HALTED');
});

test('--until done ends by itself, with 5 for a failed run and --exit-status', async () => {
  const { server, program } = await opened(80, 24, runEvents, '--until', 'done', '--exit-status');
  await publish(server, 'run-7f3a', [{ type: 'execution:failed', data: { error: 'out of memory' } }]);
  expect(await program.ended()).toBe(5);
  expect(program.text()).toContain('failed: out of memory');
});

test.each([
  ['--until failed of a run that has completed', [{ type: 'execution:completed', data: {} }], ['--until', 'failed'], 0],
  ['--exit-status of a run that has failed', [{ type: 'execution:failed', data: {} }], ['--exit-status', '--until', 'failed'], 5],
  ['--fail-on-decision with one that is open', decisionEvents, ['--fail-on-decision'], 8],
  ['--until decision with one that is open', decisionEvents, ['--until', 'decision'], 0],
] as const)('what has happened already ends it at once: %s', async (_, events, args, code) => {
  const server = await startServer();
  await publish(server, 'run-7f3a', [...runEvents, ...events]);
  const program = watch(server.url, ['run-7f3a', ...args]);
  expect(await program.ended()).toBe(code);
  expect(program.isFullScreen()).toBe(false);
});

test('what ends with a run is about the one that is live, where none is named', async () => {
  const server = await startServer();
  await publish(server, 'run-7f3a', runEvents);
  const program = watch(server.url, ['--until', 'done']);
  await program.shows('custom:thing');
  await publish(server, 'run-7f3a', [{ type: 'execution:completed', data: {} }]);
  expect(await program.ended()).toBe(0);
});

test('a crash restores the screen before its trace is printed', async () => {
  const server = await startServer();
  await publish(server, 'run-7f3a', runEvents);
  const crash = `data:text/javascript,process.on('SIGUSR2',()=>{throw(new(Error)('boom'))})`;
  const program = watch(server.url, ['run-7f3a'], { environment: { NODE_OPTIONS: `--import=${crash}` } });
  await program.shows('custom:thing');
  program.pty.kill('SIGUSR2');
  expect(await program.ended()).not.toBe(0);
  expect(program.isFullScreen()).toBe(false);
  expect(program.raw).toMatch(/\x1b\[\?2004l/);
  expect(program.text()).toContain('boom');
});

test('a refusal is said with the way out, and quitting ends with 4', async () => {
  const gatekeeper = createHttpServer((_, response) => response.writeHead(401).end('{}'));
  await new Promise<void>((resolve) => gatekeeper.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void gatekeeper.close());
  const { port } = gatekeeper.address() as AddressInfo;
  const program = watch(`http://127.0.0.1:${port}`, ['run-7f3a']);
  await program.shows('✖ refused: ');
  await program.shows('SHANNON_DASH_TOKEN=');
  program.type('q');
  expect(await program.ended()).toBe(4);
});

test('under 10,000 events a second the log says what it leaves out, and keys are answered', async () => {
  const { server, program } = await opened(120, 40, runEvents);
  const flood = Array.from({ length: 1_000 }, (_, n) => ({ type: 'custom:flood', data: { n } }));
  const over = new AbortController();
  const flooding = (async () => {
    while (!over.signal.aborted) await publish(server, 'run-7f3a', flood);
  })();
  program.type('6k');
  await program.shows('follow OFF');
  program.type('/');
  await program.shows('filter: _');
  program.type('!custom');
  await program.shows(/6 Events .*! [\d,]+ too many to show/);
  await program.shows(/[\d,]+ events not shown here \(too many at once\); the journal has them all/);
  over.abort();
  await flooding;
});

test('--at begins in the history', async () => {
  const { program } = await opened(120, 40, runEvents, '--at', '12');
  await program.shows((text) => text.includes('HISTORY 12/19') && !text.includes('● live'));
  program.type('l');
  await program.shows((text) => !text.includes('HISTORY'));
});

test('NO_COLOR leaves no colour, the selection stays visible', async () => {
  const server = await startServer();
  await publish(server, 'run-7f3a', [...runEvents, ...decisionEvents]);
  const program = watch(server.url, ['run-7f3a'], { environment: { NO_COLOR: '1' } });
  await program.shows('custom:thing');
  expect(program.raw).not.toMatch(/\x1b\[(?:3[0-7]|9[0-7]|4[0-7]|[34]8;[\d;]+)m/);
  expect(program.raw).toContain('\x1b[7m');
});

test('a resize while busy never leaves a frame taller than the window', async () => {
  const { server, program } = await opened(120, 40, runEvents);
  for (const [columns, rows] of [
    [80, 24],
    [38, 9],
    [100, 30],
    [60, 20],
    [120, 40],
  ] as const) {
    program.resize(columns, rows);
    await publish(server, 'run-7f3a', [{ type: 'execution:progress', data: { message: `at ${columns}x${rows}` } }]);
    await program.shows(() => {
      const shown = program.rows();
      if (shown.length !== rows) return false;
      if (columns < 40) return shown[0]?.startsWith(`${columns}x${rows} is too small`) === true;
      const isWhole = shown[0]?.startsWith(' run-7f3a') === true && /\? help/.test(shown.at(-1) ?? '');
      return isWhole && program.text().includes(`at ${columns}x${rows}`);
    });
  }
});

test.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s restores the screen and ends with %i', async (signal, code) => {
  const { program } = await opened(80, 24, runEvents);
  program.pty.kill(signal);
  expect(await program.ended()).toBe(code);
  expect(program.isFullScreen()).toBe(false);
  expect(program.raw).toMatch(/\x1b\[\?25h/);
});
