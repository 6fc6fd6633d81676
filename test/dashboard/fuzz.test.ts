import { expect, test } from 'vitest';
import { graceMs } from '../../src/view/decision-prompt.ts';
import { publish, startServer, type TestServer } from '../helpers/start-server.ts';
import { hostileEvents, hostileTexts, unsafe } from './hostile.ts';
import { attachOrchestrator, commandsOf } from './scripted-run.ts';
import { watch } from './watch.ts';
import type { WatchedProgram } from './watched-program.ts';

/** For a long run: SHANNON_DASH_FUZZ_MS=60000. A failure names its seed; SHANNON_DASH_FUZZ_SEED repeats it. */
const totalMs = Number(process.env['SHANNON_DASH_FUZZ_MS'] ?? 8_000);
const firstSeed = Number(process.env['SHANNON_DASH_FUZZ_SEED'] ?? Date.now() % 1_000_000);

/** What the dashboard itself may write: cursor and style, its modes, and its own two messages to the terminal. */
const own = new RegExp(
  [
    '\\x1b\\[[0-9;]*[ABCDEFGHJKmf]',
    '\\x1b\\[\\?(?:25|1000|1006|1049|2004|2026)[hl]',
    '\\x1b\\[[0-9]*[EGKJX]',
    '\\x1b\\]9;shannon-dash: [^\\x00-\\x1f\\x7f-\\x9f]*\\x1b\\\\',
    '\\x1b\\]52;c;[A-Za-z0-9+/=]*\\x1b\\\\',
  ].join('|'),
  'g',
);

const anyKeys = [
  ...Array.from('123456jkgGft+=/[]{}l?yqRxz0789!*n~@: \t'),
  '\r',
  '\x1b',
  '\x1b[A',
  '\x1b[B',
  '\x1b[5~',
  '\x1b[6~',
  '\x1b[H',
  '\x1b[F',
  '\x1b[Z',
  '\x7f',
  '\x1b[200~H B y d 1\r\x1b[201~',
  '\x1b[<0;1;1M',
  // On an option of the decision, at 120x40; on a panel; the wheel; reports that are cut off, and in the old form.
  '\x1b[<0;5;6M',
  '\x1b[<0;5;10M\x1b[<0;5;10m',
  '\x1b[<64;30;30M',
  '\x1b[<65;30;10M',
  '\x1b[<0;5',
  '\x1b[M !!',
  '\x1b]11;rgb:ffff/ffff/ffff\x1b\\',
  '\x1b[I',
  '日',
  '\x00',
  '\x1bx',
  'H',
  'B',
  'X',
  'd',
  's',
];
const sizes = [
  [120, 40],
  [100, 30],
  [80, 24],
  [60, 20],
  [38, 9],
  [41, 11],
  [200, 15],
] as const;

/** Half a character is refused by the server; how it looks is tried without one. */
const sentTexts = hostileTexts.filter((text) => text.isWellFormed());

/** Mulberry32: the same seed gives the same keys. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test(`random keys, resizes and hostile texts for ${totalMs} ms, from seed ${firstSeed}`, { timeout: totalMs * 3 + 120_000 }, async () => {
  const server = await startServer();
  await publish(
    server,
    'run-7f3a',

    sentTexts.flatMap((text, index) => hostileEvents(text, index)),
  );
  await attachOrchestrator(server.url, 'run-7f3a');
  const endMs = Date.now() + totalMs;
  for (let seed = firstSeed; seed === firstSeed || Date.now() < endMs; seed++)
    await round(server, seed, Math.min(endMs, Date.now() + 6_000));
});

/**
 * One program. Each round leaves out one of the keys that a confirmed command needs, a different one each time, so that
 * every decision, rollback or STOP that reaches the server is one that nobody confirmed.
 */
async function round(server: TestServer, seed: number, endMs: number): Promise<void> {
  const random = randomFrom(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  // A rollback and a STOP are both confirmed by y.
  const left = new Set([...pick([['B', 'X'], ['y']]), pick(['d', '\r'])]);
  // A click opens a decision too.
  if (left.has('d')) for (const key of anyKeys) if (key.startsWith('\x1b[<0')) left.add(key);
  // A paste holds them all: it is no key and may stay. q ends the program before its time.
  const keys = anyKeys.filter((key) => !left.has(key) && key !== 'q' && (key !== 'y' || !left.has('y')));
  const before = await commandsOf(server.url, 'run-7f3a');
  const program = watch(server.url, random() < 0.3 ? [] : ['run-7f3a'], { columns: 120, rows: 40 });
  await program.shows(/● live \d+ms/);
  let halts = 0;
  for (let step = 0; Date.now() < endMs && program.exit === undefined; step++) {
    // Random keys alone rarely hit an open prompt after its grace: open one now and then, and wait until it takes keys.
    const openers = ['B', 'd'].filter((key) => !left.has(key));
    const isPrompted = random() < 0.2 && openers.length > 0;
    if (isPrompted) await prompted(program, pick(openers));
    const burst = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(keys));
    halts += burst.filter((key) => key === 'H' || key === 'R').length;
    program.type(burst.join(''));
    if (random() < 0.1) {
      const [columns, rows] = pick(sizes);
      program.resize(columns, rows);
    }
    if (random() < 0.1) await publish(server, 'run-7f3a', hostileEvents(pick(sentTexts), 1_000 + step));
    await answered(program);
    for (const row of program.rows()) expect(row, `seed ${seed}`).not.toMatch(unsafe);
  }
  expect(program.exit, `seed ${seed}: the program ended:\n${program.text()}`).toBeUndefined();
  // A Tab that is pressed while the program changes to the plain stream and back is echoed by the terminal, as it came.
  const unexplained = program.raw.replaceAll(own, '').replaceAll(/[\r\n\t]/g, '');
  expect(
    /[^\n]{0,40}[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069][^\n]{0,40}/.exec(unexplained)?.[0],
    `seed ${seed}`,
  ).toBeUndefined();
  const sent = (await commandsOf(server.url, 'run-7f3a')).slice(before.length);
  const effective = sent.filter(({ parameters }) => parameters['dry_run'] !== true);
  expect(
    effective.filter(({ command_type }) => command_type !== 'HALT' && command_type !== 'RESUME'),
    `seed ${seed}`,
  ).toEqual([]);
  expect(effective.length, `seed ${seed}`).toBeLessThanOrEqual(halts);
  program.resize(120, 40);
  await leave(program);
  expect(program.isFullScreen()).toBe(false);
}

async function prompted(program: WatchedProgram, opener: string): Promise<void> {
  // Out of whatever is open. An escape that a key follows at once would be Alt and that key.
  for (let level = 0; level < 3; level++) {
    program.type('\x1b');
    await program
      .until(
        () => program.exit !== undefined,
        50,
        () => 'escape',
      )
      .catch(() => undefined);
  }
  if (/┌─ Sessions/.test(program.text())) program.type('\r');
  await answered(program);
  program.type(opener);
  const isOpen = () => /roll back {2}Enter cancel|choose 1-/.test(program.text());
  await program.until(isOpen, 1_000, () => 'no prompt here').catch(() => undefined);
  // The grace itself is a length of time: nothing on the screen tells its end.
  if (isOpen())
    await program
      .until(
        () => program.exit !== undefined,
        graceMs + 20,
        () => 'grace',
      )
      .catch(() => undefined);
}

/** Waits until the program has read the keys: it draws or writes something, or has nothing to say for a moment. */
async function answered(program: WatchedProgram): Promise<void> {
  const length = program.raw.length;
  await program
    .until(
      () => program.raw.length !== length || program.exit !== undefined,
      120,
      () => 'quiet',
    )
    .catch(() => undefined);
}

async function leave(program: WatchedProgram): Promise<void> {
  program.type('\x03');
  expect(await program.ended()).toBe(130);
}
