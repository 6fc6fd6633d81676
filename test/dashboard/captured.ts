import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { WatchedProgram } from './watched-program.ts';

/** The events as if they had just been: lengths of time then have the same width whenever the test runs. */
export function recent<Event extends { timestamp: string }>(events: readonly Event[]): Event[] {
  const shiftMs = Date.now() - Date.UTC(2026, 0, 2, 12, 18, 32);
  return events.map((event) => ({ ...event, timestamp: new Date(Date.parse(event.timestamp) + shiftMs).toISOString() }));
}

/** The screen with what depends on the clock and the machine made still, columns kept below the first row. */
function still(text: string): string {
  const [first = '', ...rest] = text
    .replace(/live \d+ms/g, 'live #ms')
    .replace(/\b20\d\d-\d\d-\d\d\b/g, '####-##-##')
    .replace(/(?:[▁-█]+ +)?[\d.]+ ev\/s/g, '# ev/s')
    // The last seconds of a session in the overview.
    .replace(/(?=[▁-█]*▁)[▁-█]{8}/g, ' '.repeat(8))
    .replace(/127\.0\.0\.1:\d+ */g, '127.0.0.1:PORT ')
    .replace(/\d\d:\d\d:\d\d(?:\.\d{3})?|\b\d+m\d\ds/g, (found) => found.replace(/\d/g, '#'))
    .split('\n');
  return `${[first.replace(/ {2,}/g, '  '), ...rest].map((row) => row.trimEnd()).join('\n')}\n`;
}

/** Compares the screen with the one that is kept under a name. */
export async function captured(program: WatchedProgram, name: string): Promise<void> {
  // A frame arrives in pieces: the one that is expected may not be whole yet.
  const file = new URL(`captures/${name}.txt`, import.meta.url);
  const expected = existsSync(file) ? readFileSync(file, 'utf8') : '';
  await program.shows((text) => still(text) === expected, 5_000).catch(() => undefined);
  await expect(still(program.text())).toMatchFileSnapshot(`captures/${name}.txt`);
}
