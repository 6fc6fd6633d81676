import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { newPlace, runProgram } from './started-program.ts';

test.runIf(process.platform === 'linux').each([
  [['hook', 'install', 'claude-code', '--user'], /^error: \/proc\/nope\//m],
  [['run', '--no-files', '--', 'true'], /./],
  [['token', 'create', 'ana', '--role', 'viewer'], /cannot|not/],
])('a state folder that cannot be made holds up nothing: %s', { timeout: 30_000 }, async (args, says) => {
  // `run` starts a server there, which others must not meet.
  const place = newPlace({ XDG_STATE_HOME: '/proc/nope', SHANNON_DASH_URL: `http://127.0.0.1:${await freePort()}` });
  const { code, stdout, stderr } = await runProgram(args, place);
  expect(code).not.toBeNull();
  expect(stdout + stderr).toMatch(says);
  expect(existsSync(join(place.folder, '.claude'))).toBe(false);
  expect(stderr).not.toMatch(/unexpected:|^\s+at /m);
});
