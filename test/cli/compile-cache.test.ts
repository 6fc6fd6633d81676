import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newPlace, runProgram, type Place } from './started-program.ts';

const compiled = (...path: string[]) => join(...path, 'shannon-dash', 'compiled');

async function version(place: Place): Promise<void> {
  expect(await runProgram(['--version'], place)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d/) as string });
}

test("compiled code is kept in the user's cache folder", async () => {
  const place = newPlace();
  place.env['XDG_CACHE_HOME'] = join(place.folder, 'cache');
  await version(place);
  expect(readdirSync(compiled(place.folder, 'cache'))).toHaveLength(1);
  await version(place);
});

test('NODE_COMPILE_CACHE names another place, NODE_DISABLE_COMPILE_CACHE none', async () => {
  const place = newPlace({ NODE_DISABLE_COMPILE_CACHE: '1' });
  place.env['XDG_CACHE_HOME'] = join(place.folder, 'cache');
  await version(place);
  delete place.env['NODE_DISABLE_COMPILE_CACHE'];
  place.env['NODE_COMPILE_CACHE'] = join(place.folder, 'named');
  await version(place);
  expect(readdirSync(join(place.folder, 'named'))).toHaveLength(1);
  expect(existsSync(join(place.folder, 'cache'))).toBe(false);
});

test('where nothing can be kept the program runs as well, and makes no home', async () => {
  const place = newPlace();
  place.env['XDG_CACHE_HOME'] = join(place.folder, 'file');
  writeFileSync(join(place.folder, 'file'), '');
  await version(place);
  const homeless = newPlace();
  homeless.env['HOME'] = join(homeless.folder, 'nowhere');
  await version(homeless);
  expect(existsSync(join(homeless.folder, 'nowhere'))).toBe(false);
});
