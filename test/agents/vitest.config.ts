import { defineConfig } from 'vitest/config';

/** `npm run test:agents`: the real agents. They are installed where they are not yet, which takes its time. */
export default defineConfig({
  test: {
    include: ['test/agents/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 1,
  },
});
