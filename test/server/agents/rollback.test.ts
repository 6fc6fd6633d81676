import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hookHeaders } from '../../../src/adapters/hook-headers.ts';
import { openHeldAgentCheckpoints } from '../../../src/run/checkpoints/held-agent-checkpoints.ts';
import { HookedAgent } from '../../helpers/hooked-agent.ts';
import { startServer } from '../../helpers/start-server.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** An agent in a work tree of git, whose hooks were installed with `--checkpoints git`. */
async function startInWorkTree() {
  const folder = await temporaryFolder();
  const work = join(folder, 'shop');
  mkdirSync(work);
  execFileSync('git', ['init', '--quiet', work]);
  writeFileSync(join(work, 'a.txt'), 'one\n');
  const stateFolder = join(folder, 'state');
  const server = await startServer({
    openCheckpoints: ({ cwd, sessionId }) => openHeldAgentCheckpoints({ cwd, sessionId, stateFolder, url: 'http://127.0.0.1:1' }),
  });
  const agent = new HookedAgent(server, { cwd: work, headers: { [hookHeaders.checkpoints]: 'git' } });
  await agent.say('UserPromptSubmit', { prompt: 'change it' });
  return { server, agent, work, file: (name: string) => join(work, name) };
}

test('a checkpoint is taken before the first change of each prompt, and ROLLBACK puts the files back to it', async () => {
  const { agent, file } = await startInWorkTree();
  await agent.call('r1', { tool_name: 'Read' }).answer;
  expect((await agent.state()).checkpoints).toEqual([]);
  await agent.done('r1', { tool_name: 'Read' });
  await agent.call('t1').answer;
  await agent.until(({ checkpoints }) => checkpoints[0]?.files === 1);
  expect((await agent.state()).checkpoints).toMatchObject([{ checkpoint_id: 'prompt-1.1', label: 'before Bash of prompt 1' }]);
  writeFileSync(file('a.txt'), 'two\n');
  writeFileSync(file('new.txt'), 'new\n');

  expect(await agent.command('ROLLBACK')).toMatchObject({ status: 'failed', error: expect.stringContaining('send HALT first') as string });
  const preview = await agent.command('ROLLBACK', { dry_run: true });
  expect(preview).toMatchObject({ status: 'applied', result: { checkpoint_id: 'prompt-1.1', restore_count: 2 } });
  const halt = agent.command('HALT');
  await agent.until(({ status }) => status === 'halting');
  await agent.done('t1');
  const held = agent.call('t2');
  await halt;
  expect((await agent.state()).checkpoints).toHaveLength(1);
  expect(await agent.command('ROLLBACK', { timeout_ms: 20_000 })).toMatchObject({ status: 'applied', result: { restored: 1, removed: 1 } });
  expect([readFileSync(file('a.txt'), 'utf8'), existsSync(file('new.txt'))]).toEqual(['one\n', false]);
  expect((await agent.state()).rollback).toMatchObject({ by: 'http' });
  await agent.command('RESUME');
  expect(JSON.stringify(await held.answer)).toContain('put the files of the work tree back');
  // What it changes from now on can be put back too.
  await agent.call('t3').answer;
  expect((await agent.state()).checkpoints.map(({ checkpoint_id }) => checkpoint_id)).toEqual([
    'prompt-1.1',
    'before-rollback-1',
    'prompt-1.2',
  ]);
});

test('no file is put back while a call is under way that may change it', async () => {
  const { agent } = await startInWorkTree();
  await agent.call('t1').answer;
  const halt = agent.command('HALT');
  await agent.until(({ status }) => status === 'halting');
  agent.call('t2', { tool_input: { command: 'ls' } });
  await halt;
  expect(await agent.command('ROLLBACK')).toMatchObject({
    status: 'failed',
    error: 'Bash is under way still, and may change files: wait until it has ended',
  });
});

test('outside of a work tree it is said once for each prompt, and the agent goes on', async () => {
  const { server, agent: inTree } = await startInWorkTree();
  const agent = new HookedAgent(server, { name: 'two', cwd: '/', headers: { [hookHeaders.checkpoints]: 'git' } });
  await agent.say('UserPromptSubmit', { prompt: 'change it' });
  expect(await agent.call('t1').answer).toEqual({});
  expect(await agent.call('t2').answer).toEqual({});
  const failures = (await agent.types()).filter((type) => type === 'checkpoint:failed');
  expect(failures).toHaveLength(1);
  expect(await inTree.types()).not.toContain('checkpoint:failed');
});

test('after a restart of the server a prompt that has a checkpoint gets no second one, and can be rolled back to it', async () => {
  const { server, agent, file } = await startInWorkTree();
  await agent.call('t1').answer;
  await agent.until(({ checkpoints }) => checkpoints[0]?.files === 1);
  await agent.done('t1');
  writeFileSync(file('a.txt'), 'two\n');
  await server.restart();
  await agent.call('t2').answer;
  await agent.done('t2');
  await agent.say('Stop', { background_tasks: [] });
  expect((await agent.state()).checkpoints).toHaveLength(1);
  expect(await agent.command('ROLLBACK', { timeout_ms: 20_000 })).toMatchObject({ status: 'applied', result: { restored: 1 } });
  expect(readFileSync(file('a.txt'), 'utf8')).toBe('one\n');
});
