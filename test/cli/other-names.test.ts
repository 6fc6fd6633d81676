import { expect, test } from 'vitest';
import { newServerPlace } from './server-place.ts';

test('names of other programs, and nearly right ones, lead to what was meant', async () => {
  const place = await newServerPlace();
  await place.publish('work', 'execution:started');
  expect((await place.run('halt', '--reason', 'look')).stdout).toMatch(/^HALT /);
  await place.publish('other', 'execution:started');
  expect((await place.call('resume', 'wor', '--json')).stdout).toContain('"session_id":"work"');
  expect((await place.call('send', 'HALT', 'nosuch')).stderr).toContain('session not found: nosuch');
  expect((await place.call('send', 'HALT', 'work', '--all')).stderr).toContain('--all is every live session');
  expect((await place.call('history')).stdout).toMatch(/^work /m);
  expect((await place.call('ps')).stdout).toMatch(/^work /m);
  expect((await place.call('info', 'wor')).stdout).toMatch(/^work\n/);
  expect((await place.call('delete', 'wor')).stderr).toMatch(/only what is over is removed/);
  expect((await place.run('wait', 'wor', '--at', '1', '--plain')).stdout).toContain('started');
  expect((await place.run('version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await place.call('open', 'wor', '--print')).stdout).toMatch(/\/work\n$/);
  expect((await place.call('open', 'nosuch', '--print')).stderr).toContain('session not found: nosuch');
  expect((await place.call('gate', '-s', 'oth', '--json')).stdout).toContain('"session_id":"other"');
  const stopHelp = (await place.call('help', 'stop')).stdout;
  expect(stopHelp).toContain('Usage: shannon-dash stop [options] [session]');
  expect(stopHelp).toMatch(/--grace[^]*--yes +do not ask/);
  expect(stopHelp).not.toMatch(/--steps|--choice|ROLLBACK/);
  expect((await place.call('answer', '--help')).stdout).toBe((await place.call('send', 'DECISION', '--help')).stdout);
  expect((await place.call('help')).stdout).toContain('shannon-dash');
  expect((await place.call('help', 'watch')).stdout).toContain('--until');
});

test('off a terminal stop ends nothing that was not named', async () => {
  const place = await newServerPlace();
  const run = place.start('run', '-s', 'work', '--', 'sh', '-c', 'echo ready; read _');
  await run.until(({ stdout }) => stdout.includes('ready'));
  expect(await place.run('stop')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/STOP would end work .*the only live session[^]*shannon-dash stop work/) as string,
  });
  expect((await place.call('stop', 'nosuch')).stderr).toContain('session not found: nosuch');
  // What is not there is told before anybody is asked.
  expect((await place.call('rollback', 'nosuch')).stderr).toContain('session not found: nosuch');
  expect((await place.call('restore', 'nosuch')).stderr).toContain('no checkpoints are kept of a session nosuch');
  expect((await place.call('sessions', '--live')).stdout).toMatch(/^work +running/m);
  expect((await place.run('stop', '--yes')).stdout).toMatch(/^STOP applied/);
  expect((await run.ended).stderr).not.toContain('ready');
});

test('a DECISION without an id is taken for the only open one; else what there is to choose is told', async () => {
  const place = await newServerPlace();
  const ask = (id: string, question: string) => place.publish('s', 'decision:point', { decision_id: id, question, options: ['yes', 'no'] });
  await ask('d1', 'First?');
  expect((await place.call('send', 'DECISION')).stderr).toMatch(
    /DECISION needs --choice\n +First\?\n +shannon-dash send DECISION --decision d1 --choice yes/,
  );
  expect((await place.call('send', 'DECISION', '--choice', 'yes')).stdout).toMatch(/^DECISION applied/);
  expect((await place.call('send', 'DECISION', '--choice', 'yes')).stderr).toContain('s has no open decision');
  await ask('d0', 'Again?');
  expect((await place.call('decide', 'd0', 'no')).stdout).toMatch(/^DECISION applied/);
  await ask('d2', 'Second?');
  await ask('d3', 'Third?');
  const several = await place.call('send', 'DECISION', '--choice', 'no');
  expect(several.code).toBe(2);
  expect(several.stderr).toMatch(/s has 2 open decisions; name one\n +Second\?[^]*Third\?/);
});

test('a type that looks misspelt is taken, and told', async () => {
  const place = await newServerPlace();
  const end = await place.call('emit', 'skill:startd', '-s', 's');
  expect(end).toMatchObject({ code: 0, stderr: expect.stringContaining('did you mean skill:started?') as string });
  expect((await place.call('emit', 'my:own', '-s', 's')).stderr).toBe('');
  expect((await place.call('emit', 'validation:completed', '-s', 's', '--data', '{"check_name":"x","success":true}')).stderr).toBe('');
});
