import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { http } from '../helpers/start-server.ts';
import { until } from '../cli/run-place.ts';
import { AgentScene } from './agent-scene.ts';
import type { Conversations, ToolCall } from './model/conversation.ts';

const bash = (command: string): ToolCall => ({ name: 'bash', input: { command, description: 'try' } });
const question: ToolCall = {
  name: 'question',
  input: {
    questions: [
      {
        question: 'Which colour?',
        header: 'Colour',
        options: [
          { label: 'Red', description: 'warm' },
          { label: 'Blue', description: 'cold' },
        ],
      },
    ],
  },
};

/** OpenCode's server, which asks for each shell command; gives its URL and the id of a session with a prompt. */
async function asking(conversations: Conversations): Promise<{ scene: AgentScene; api: string; id: string }> {
  const scene = await AgentScene.open('opencode', conversations);
  const file = join(scene.home.home, '.config/opencode/opencode.json');
  const settings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...settings, permission: { bash: 'ask', question: 'allow' } }));
  const port = await freePort();
  const server = scene.start('serve', '--port', String(port));
  await until('OpenCode to listen', () => server.stdout.includes('listening on'));
  const api = `http://127.0.0.1:${port}`;
  const { body } = await http<{ id: string }>('POST', `${api}/session`, {});
  await http('POST', `${api}/session/${body.id}/prompt_async`, { parts: [{ type: 'text', text: 'MAIN do the work' }] });
  return { scene, api, id: body.id };
}

test('requests for permission are answered from afar: allowed it runs, denied the model reads why', async () => {
  const { scene } = await asking({ MAIN: [{ calls: [bash('echo yes')] }, { calls: [bash('touch no')] }, { text: 'All done.' }] });
  const first = await scene.untilEvent('decision:point');
  await scene.untilRow(await scene.send('DECISION', '--decision', String(first.data['decision_id']), '--choice', 'allow'), 'applied');
  await scene.untilEvent('tool:completed');
  const second = await scene.untilEvent('decision:point', ({ decision_id }) => decision_id !== first.data['decision_id']);
  const denial = ['--decision', String(second.data['decision_id']), '--choice', 'deny', '--comment', 'not here'];
  await scene.untilRow(await scene.send('DECISION', ...denial), 'applied');
  await scene.untilEvent('message:assistant', ({ text }) => text === 'All done.');
  expect(scene.model.requestsOf('MAIN').at(-1)?.said.join('\n')).toContain('not here');
  expect((await scene.state()).tools.map(({ status }) => status)).toEqual(['completed', 'failed']);
});

test('a question is answered from afar', async () => {
  const { scene } = await asking({ MAIN: [{ calls: [question] }, { text: 'All done.' }] });
  const asked = await scene.untilEvent('decision:point');
  expect(asked.data).toMatchObject({ question: 'Which colour?' });
  await scene.untilRow(await scene.send('DECISION', '--decision', String(asked.data['decision_id']), '--choice', 'Blue'), 'applied');
  await scene.untilEvent('message:assistant', ({ text }) => text === 'All done.');
  expect(scene.model.requestsOf('MAIN').at(-1)?.said.join('\n')).toContain('Blue');
});

test('an answer that is given to OpenCode itself is the first: the decision is closed, and one from afar comes too late', async () => {
  const { scene, api } = await asking({ MAIN: [{ calls: [bash('echo yes')] }, { text: 'All done.' }] });
  const asked = await scene.untilEvent('decision:point');
  const { body } = await http<{ id: string }[]>('GET', `${api}/permission`);
  await http('POST', `${api}/permission/${body[0]?.id}/reply`, { reply: 'once' });
  await scene.untilEvent('decision:made', ({ made_by }) => made_by === 'terminal');
  await scene.untilEvent('message:assistant', ({ text }) => text === 'All done.');
  const late = await scene.answerLate(asked, 'deny');
  expect(late.code).not.toBe(0);
});
