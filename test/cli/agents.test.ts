import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newServerPlace, type ServerPlace } from './server-place.ts';
import { callProgram } from './called-program.ts';
import { runProgram } from './started-program.ts';

const known = '6f0c5a1e-77aa-4c7e-9e0a-1f2e3d4c5b6a';
const other = 'db0ef918-5352-4553-a958-ed993dd7dc5e';
/** As Claude Code 2.1.332 prints it. */
const listed = [
  { pid: 1, cwd: '/srv/shop', kind: 'interactive', startedAt: 1795895723997, sessionId: known, name: 'shop-d3', status: 'busy' },
  { pid: 2, cwd: '/srv/api', kind: 'interactive', startedAt: 1795895723997, sessionId: other, name: 'api-f8\u001b[2J', status: 'idle' },
];

/** A `claude` in front of the PATH, with what the real one printed. */
function withClaude(place: ServerPlace, script: string): ServerPlace {
  const folder = join(place.folder, 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'claude'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'claude'), 0o755);
  return { ...place, env: { ...place.env, PATH: `${folder}:${place.env['PATH']}` } };
}

const printing = (rows: unknown) => `test "$*" = "agents --json" || exit 1\ncat <<'END'\n${JSON.stringify(rows)}\nEND`;

test('every agent is in one list, those that need a person first, and those that tell us nothing too', async () => {
  const place = withClaude(await newServerPlace(), printing(listed));
  await place.publishAll(
    `claude-code-${known}`,
    { type: 'execution:started', data: { task: 'Remember the user', folder: 'shop', branch: 'feature', labels: ['claude-code'] } },
    { type: 'message:user', data: { text: 'Remember the user' } },
    { type: 'tool:started', data: { tool_name: 'Bash', tool_id: 't', input: { command: 'npm test' } } },
    { type: 'usage:reported', data: { input_tokens: 48_210, output_tokens: 3_120, cost_usd: 0.84 } },
  );
  await place.publishAll(
    'own-agent',
    { type: 'execution:started', data: { task: 'review' } },
    { type: 'agent:spawned', data: { agent_id: 'reviewer' } },
    { type: 'decision:point', data: { decision_id: 'd', question: 'Merge?', options: ['yes', 'no'] } },
  );
  await place.publishAll('nightly', { type: 'skill:started', data: { skill_name: 'lint' } });
  await place.publishAll('over', { type: 'message:user', data: { text: 'hello' } }, { type: 'execution:completed' });
  const { stdout } = await runProgram(['agents'], place);
  expect(stdout.split('\n').map((line) => line.trimEnd().replace(/\s+(?:\d+[smhd]\d*[smh]?|\d+d)\s+/, ' TIME '))).toEqual([
    expect.stringMatching(/^AGENT +STATE +FOR +TOKENS +COST +FILES +WHERE +TASK +NOW$/),
    expect.stringMatching(/^own-agent +asks TIME - +- +- +- +review +for Merge\?$/),
    expect.stringMatching(/^claude-code-db0ef918 +waits, not hooked .* api +api-f8 +for a prompt$/),
    expect.stringMatching(/^claude-code-6f0c5a1e +works TIME 51\.3k +\$0\.84 +- +shop@feature +Remember the user +Bash npm test$/),
    '',
  ]);
  const { agents } = JSON.parse((await callProgram(['agents', '--all', '--json'], place)).stdout) as {
    agents: { session_id: string; state: string; hooked: boolean }[];
  };
  expect(agents.map(({ session_id, state, hooked }) => [session_id, state, hooked])).toEqual([
    ['own-agent', 'asks', true],
    [`claude-code-${other}`, 'waits', false],
    [`claude-code-${known}`, 'works', true],
    ['over', 'completed', true],
  ]);
});

test.each([
  ['does not end', 'exec sleep 600'],
  ['fails', 'exit 3'],
  ['prints something else', 'echo "[{\\"sessionId\\": 7}]"'],
  ['prints without end', 'exec yes'],
])('a claude that %s changes nothing', async (_, script) => {
  const place = withClaude(await newServerPlace(), script);
  expect(await callProgram(['agents'], place)).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('no agent is at work'),
  });
});
