import { expect, test } from 'vitest';
import { rows } from './rows.ts';
import { Scene } from './scene.ts';

/** What no other test does. The others stand in full-disk.test.ts, test/journal/ (damage, repair, backup) and test/server/ (leaks, retention). */
const names = ['kills', 'cuts', 'journal'];

test.each(rows.filter(({ name }) => names.includes(name)))('$name, in short: $fault', { timeout: 120_000 }, async ({ run }) => {
  const scene = new Scene('short');
  try {
    // Times and memory are for `npm run faults`, on a quiet machine.
    const checks = (await run(scene)).filter(({ isMeasured }) => isMeasured !== true);
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.filter(({ isMet }) => !isMet)).toEqual([]);
  } finally {
    await scene.end();
  }
});
