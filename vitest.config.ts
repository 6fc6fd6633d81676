import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    // The real agents are a script of their own: npm run test:agents.
    exclude: [...configDefaults.exclude, 'test/agents/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Generous: a busy machine is no fault of the program. Nothing asserts a time.
    expect: { poll: { timeout: 20_000 } },
    // Most tests wait for processes: twice as many as the cores that the project is built for.
    maxWorkers: 4,
    // What a file loads is loaded once a worker: it is a fifth of the whole time. No test replaces modules or globals.
    isolate: false,
  },
});
