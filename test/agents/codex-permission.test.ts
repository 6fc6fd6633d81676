import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AgentScene } from './agent-scene.ts';
import type { ToolCall } from './model/conversation.ts';

/** A command that the sandbox does not let through without a permission. */
const escalated = (cmd: string): ToolCall => ({
  name: 'exec',
  namespace: 'functions',
  input: {
    input: `text(await tools.exec_command({cmd: '${cmd}', sandbox_permissions: 'require_escalated', justification: 'May I?'}))`,
  },
});

test('a permission that Codex asks for on its terminal is given, and refused, from afar', async () => {
  const scene = await AgentScene.open('codex', {
    MAIN: [{ calls: [escalated('touch yes')] }, { calls: [escalated('touch no')] }, { text: 'All done.' }],
  });
  scene.onTerminal('--dangerously-bypass-hook-trust', '--sandbox', 'read-only', 'MAIN do the work');
  const decide = async (command: string, choice: string) => {
    const asked = await scene.untilEvent('decision:point', (data) => JSON.stringify(data).includes(command));
    const sent = await scene.send('DECISION', '--decision', String(asked.data['decision_id']), '--choice', choice);
    await scene.untilRow(sent, 'applied');
  };
  await decide('touch yes', 'allow');
  await decide('touch no', 'deny');
  await scene.untilEvent('message:assistant', ({ text }) => text === 'All done.');
  expect(existsSync(join(scene.home.work, 'yes'))).toBe(true);
  expect(existsSync(join(scene.home.work, 'no'))).toBe(false);
  expect((await scene.state()).decisions.map(({ choice }) => choice)).toEqual(['allow', 'deny']);
});
