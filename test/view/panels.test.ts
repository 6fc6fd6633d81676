import { expect, test } from 'vitest';
import { agentsPanel } from '../../src/view/panels/agents-panel.ts';
import { commandsPanel } from '../../src/view/panels/commands-panel.ts';
import { decisionsPanel } from '../../src/view/panels/decisions-panel.ts';
import { filesPanel } from '../../src/view/panels/files-panel.ts';
import { skillsPanel } from '../../src/view/panels/skills-panel.ts';
import { validationPanel } from '../../src/view/panels/validation-panel.ts';
import { unicodeGlyphs } from '../../src/view/text/glyphs.ts';
import { journalled, nowMs, runJournal, stateOf } from '../dashboard/screen-models.ts';

const style = { glyphs: unicodeGlyphs, nowMs, timestamps: 'clock' } as const;

test('a panel is cells that any screen can show, without a width to fit', () => {
  const state = stateOf(runJournal);
  const words = (panel: typeof skillsPanel) => panel(state).items.map((item) => item.cells(style).map(({ text }) => text));
  expect(words(skillsPanel).slice(0, 2)).toEqual([
    ['✖', 'lint', '3 problems', '', 'failed', '7s'],
    ['▶', 'wave-orchestration', '', '62%', 'running', '13m49s'],
  ]);
  for (const panel of [skillsPanel, agentsPanel, filesPanel, validationPanel, decisionsPanel]) {
    const { title, empty, items } = panel(state);
    expect([title, empty]).not.toContain('');
    // Every row of a panel has the same columns, so that a page can make a table of it.
    expect(new Set(items.map((item) => item.cells(style).length)).size).toBeLessThanOrEqual(1);
  }
});

test('agents stand below those that began them, with what they do, wait for and have used', () => {
  const at = (n: number) => new Date(nowMs - 60_000 + n).toISOString();
  const state = stateOf(
    journalled(
      [
        ['agent:spawned', { agent_id: 'lead' }],
        ['agent:spawned', { agent_id: 'builder', parent_agent_id: 'lead' }],
        ['agent:spawned', { agent_id: 'searcher', parent_agent_id: 'builder' }],
        ['agent:spawned', { agent_id: 'alone', parent_agent_id: 'nobody' }],
        ['agent:spawned', { agent_id: 'egg', parent_agent_id: 'hen' }],
        ['agent:spawned', { agent_id: 'hen', parent_agent_id: 'egg' }],
        ['agent:completed', { agent_id: 'alone', success: false, message: 'broke' }],
        ['usage:reported', { agent_id: 'searcher', input_tokens: 41_000, output_tokens: 1_000, cost_usd: 0.31 }],
        ['tool:started', { tool_id: 't', tool_name: 'Grep', agent_id: 'searcher' }],
        ['agent:progress', { agent_id: 'builder', progress: 62 }],
        ['decision:point', { decision_id: 'd', question: 'Go on?', options: ['yes'], agent_id: 'searcher' }],
      ].map(([type, data], index) => ({ type: type as string, data: data as Record<string, unknown>, timestamp: at(index) })),
    ),
  );
  const panel = agentsPanel(state);
  expect(panel.title).toBe('Agents 5/6  42.0k tokens  $0.31');
  expect(
    panel.items.map((item) =>
      item
        .cells(style)
        .slice(0, 6)
        .map(({ text }) => text)
        .join('|'),
    ),
  ).toEqual([
    '▶|lead|running|||',
    '▶|  builder|running|62%||',
    '‖|    searcher|waiting: decision: Go on?||42.0k|$0.31',
    '✖|alone|failed: broke|100%||',
    '▶|egg|running|||',
    '▶|  hen|running|||',
  ]);
});

test('a command that waits tells its place in the queue and for whom it waits; one that was taken back, by whom', () => {
  const queued = (command_id: string, more: object = {}) =>
    ['command:queued', { command_id, command_type: 'INJECT', by: 'ana', parameters: { skill_name: 'x' }, ...more }] as const;
  const attached = ['orchestrator:attached', { instance_id: 'run-1', capabilities: [] }] as const;
  const gone = ['orchestrator:detached', { instance_id: 'run-1' }] as const;
  const told = (events: readonly (readonly [string, Record<string, unknown>])[]) =>
    commandsPanel(stateOf(journalled(events.map(([type, data]) => ({ type, data })))));
  const words = (...events: Parameters<typeof told>[0]) => told(events).items.map((item) => item.cells(style)[2]?.text);
  const before = words(queued('a'), queued('b', { for_instance: 'run-0' }));
  expect(before).toEqual(['by ana: 2 of 2, waits for run-0 to come back', 'by ana: 1 of 2, waits for a program to connect']);
  expect(words(queued('a'), attached)).toEqual(['by ana: 1 of 1, waits for run-1 to take it']);
  expect(words(attached, queued('a'), gone)).toEqual(['by ana: 1 of 1, waits for run-1 to come back']);
  expect(words(attached, gone, queued('a'))).toEqual(['by ana: 1 of 1, waits for a program to connect']);
  const end = { command_id: 'a', command_type: 'INJECT', cancelled_by: 'ben', error: 'Taken back by ben' };
  const both = told([queued('a'), ['command:cancelled', end], queued('c', { resend_of: 'a' })]);
  const [again, old] = both.items.map((item) => item.detail(style));
  expect(old).toContainEqual(['taken back', 'by ben']);
  expect(again).toContainEqual(['again', 'sends a again']);
});
