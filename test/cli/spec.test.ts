import { expect, test } from 'vitest';
import { callProgram } from './called-program.ts';
import { newServerPlace } from './server-place.ts';
import { newPlace } from './started-program.ts';

test('spec openapi prints what a server has at /api/docs', async () => {
  const place = await newServerPlace();
  const { code, stdout } = await place.run('spec', 'openapi');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(await (await fetch(`${place.url}/api/docs`)).json());
});

test('spec asyncapi needs no server', async () => {
  const { code, stdout, stderr } = await callProgram(['spec', 'asyncapi'], newPlace());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ asyncapi: '3.0.0', info: { title: 'shannon-dash' } });
});

test('spec of anything else names the two', async () => {
  const { code, stdout, stderr } = await callProgram(['spec', 'graphql'], newPlace());
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('error: <document> cannot be "graphql"; it is one of: openapi, asyncapi\n');
});
