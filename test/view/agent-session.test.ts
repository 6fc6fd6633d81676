import { describe, expect, test } from 'vitest';
import { agentRow, isAgentSession, shortId } from '../../src/view/agents/agent-session.ts';
import { notificationOf } from '../../src/view/notifications/notification.ts';
import { sessionCells } from '../../src/view/overview.ts';
import { agentsPanel } from '../../src/view/panels/agents-panel.ts';
import { skillsPanel } from '../../src/view/panels/skills-panel.ts';
import { unicodeGlyphs } from '../../src/view/text/glyphs.ts';
import { shortCount } from '../../src/view/text/numbers.ts';
import { journalled, nowMs, stateOf } from '../dashboard/screen-models.ts';

const id = 'claude-code-6f0c5a1e-77aa-4c7e-9e0a-1f2e3d4c5b6a';
const at = (secondsAgo: number) => new Date(nowMs - secondsAgo * 1_000).toISOString();

type Row = [secondsAgo: number, type: string, data: Record<string, unknown>];
const begun: Row[] = [
  [60, 'execution:started', { task: 'Remember the user', folder: 'shop', branch: 'feature', labels: ['claude-code'], model: 'opus' }],
  [59, 'message:user', { text: 'Remember the user' }],
];
const usage: Row = [30, 'usage:reported', { model: 'opus', input_tokens: 48_210, output_tokens: 3_120, cost_usd: 0.84 }];
const call = (secondsAgo: number, tool_id: string, more: object = {}): Row => [
  secondsAgo,
  'tool:started',
  { tool_name: 'Bash', tool_id, input: { description: 'Run the tests', command: `npm test ${tool_id}` }, ...more },
];

const session = (...rows: Row[]) =>
  stateOf(
    journalled(
      rows.map(([ago, type, data]) => ({ type, data, timestamp: at(ago) })),
      id,
    ),
  );

describe('an agent in one row', () => {
  test('works: its calls with what they are about, its own before those of sub-agents', () => {
    const sub = { agent_id: 'a1' };
    const state = session(...begun, [40, 'agent:spawned', sub], call(35, 'sub', sub), call(20, 'own'), usage, [
      10,
      'file:modified',
      { path: 'a.ts' },
    ]);
    expect(agentRow(state)).toEqual({
      session_id: id,
      agent: 'claude-code',
      state: 'works',
      since: at(59),
      task: 'Remember the user',
      doing: 'Bash npm test own (and 1 more)',
      waiting_for: null,
      model: 'opus',
      folder: 'shop',
      branch: 'feature',
      tokens: 51_330,
      cost_usd: 0.84,
      files: 1,
      sub_agents: 1,
      updated_at: at(10),
    });
  });

  test.each<[string, Row[], object]>([
    [
      'asks a question, which is told',
      [[8, 'decision:point', { decision_id: 'd', question: 'Go?', options: ['a'] }]],
      { state: 'asks', waiting_for: 'Go?', since: at(8) },
    ],
    [
      'is idle after its turn',
      [[8, 'agent:waiting', { reason: 'idle', message: 'Done.' }]],
      { state: 'waits', waiting_for: 'a prompt', since: at(8) },
    ],
    [
      'waits at its own prompt',
      [[8, 'agent:waiting', { reason: 'input', message: 'needs your approval' }]],
      { state: 'waits', waiting_for: 'needs your approval' },
    ],
    [
      'works again',
      [
        [8, 'agent:waiting', { reason: 'idle' }],
        [7, 'message:user', { text: 'go on' }],
      ],
      { state: 'works', waiting_for: null, since: at(7) },
    ],
    [
      'works while a sub-agent does',
      [
        [9, 'agent:spawned', { agent_id: 'a1' }],
        [8, 'agent:waiting', { reason: 'idle' }],
      ],
      { state: 'works' },
    ],
    ['is halted', [[8, 'execution:halted', { initiated_by: 'ana' }]], { state: 'halted', since: at(8) }],
    ['has failed', [[8, 'execution:failed', { error: 'no credit' }]], { state: 'failed', doing: 'no credit' }],
    ['has completed', [[8, 'execution:completed', {}]], { state: 'completed', since: at(8) }],
  ])('%s', (_, rows, expected) => {
    expect(agentRow(session(...begun, ...rows))).toMatchObject(expected);
  });

  test('a program with steps alone is no agent', () => {
    expect(isAgentSession(session([9, 'execution:started', {}], [8, 'skill:started', { skill_name: 'lint' }]))).toBe(false);
    expect(isAgentSession(session(...begun))).toBe(true);
  });
});

test('a UUID at the end of an id is cut to what names the session', () => {
  expect(shortId(id)).toBe('claude-code-6f0c5a1e');
  expect(shortId('codex-019a8b77-1c2d-7e3f-8a9b-0c1d2e3f4a5b')).toBe('codex-019a8b77-1c2d');
  expect(shortId('nightly-2026')).toBe('nightly-2026');
});

test('the overview and the panels of an agent tell what it does, waits for, and has used', () => {
  const style = { glyphs: unicodeGlyphs, nowMs, timestamps: 'clock' as const };
  const words = (state: ReturnType<typeof session>) => sessionCells({ state, eventsPerSecond: 0 }, style).map(({ text }) => text);
  expect(words(session(...begun, call(20, 'own'), usage))).toEqual([
    '',
    '▶ RUNNING',
    'claude-code-6f0c5a1e',
    '',
    'Remember the user',
    'Bash npm test own | Remember the user',
    '51.3k',
    '$0.84',
    '',
    '',
    '1m00s',
  ]);
  const busy = {
    state: session(...begun),
    eventsPerSecond: 2,
    lastSeconds: (seconds: number) => [...Array<number>(seconds - 2).fill(0), 4, 2],
  };
  expect(
    sessionCells(busy, style)
      .slice(8, 10)
      .map(({ text }) => text),
  ).toEqual(['▁▁▁▁▁▁█▅', '2.0']);
  const waits = session(...begun, usage, [8, 'agent:waiting', { reason: 'idle' }]);
  expect(words(waits).slice(1, 6)).toEqual([
    '‖ WAITS',
    'claude-code-6f0c5a1e',
    '',
    'Remember the user',
    'waits 8s for a prompt: Remember the user',
  ]);
  const tools = skillsPanel(session(...begun, call(20, 'own'), call(9, 'next')));
  expect([tools.title, tools.summary[0]?.text]).toEqual(['Tools 2/2', 'Bash npm test next, and 1 more']);
  expect(skillsPanel(waits).empty).toBe('none; its tool calls show here');
  const agents = agentsPanel(waits);
  expect([agents.title, agents.summary[0]?.text]).toEqual(['Agents  51.3k tokens  $0.84', 'opus']);
});

test('a notification of an agent names it by its short id, and says what it has used when it ends', () => {
  const state = session(...begun, usage, [0, 'execution:completed', {}]);
  const event = { session_id: id, seq: state.seq, id: 'e', type: 'execution:completed', timestamp: at(0), data: {} };
  expect(notificationOf([{ event, state }])).toEqual({
    type: 'execution:completed',
    count: 1,
    title: 'claude-code-6f0c5a1e completed',
    lines: ['task: Remember the user; after 1m00s, 51,330 tokens, $0.84'],
    isUrgent: false,
  });
});

test.each([
  [812, '812'],
  [48_210, '48.2k'],
  [271_330, '271k'],
  [999_600, '1.0M'],
  [1_300_000, '1.3M'],
])('%d is short as %s', (value, short) => {
  expect(shortCount(value)).toBe(short);
});
