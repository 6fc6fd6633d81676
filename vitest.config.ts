import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Generous: a busy machine is no fault of the program. Nothing asserts a time.
    expect: { poll: { timeout: 20_000 } },
    // Most tests wait for processes: one more than the cores that the project is built for.
    maxWorkers: 3,
  },
});
