import { expect, test } from 'vitest';
import { agentsPanel } from '../../src/view/panels/agents-panel.ts';
import { decisionsPanel } from '../../src/view/panels/decisions-panel.ts';
import { filesPanel } from '../../src/view/panels/files-panel.ts';
import { skillsPanel } from '../../src/view/panels/skills-panel.ts';
import { validationPanel } from '../../src/view/panels/validation-panel.ts';
import { unicodeGlyphs } from '../../src/view/text/glyphs.ts';
import { nowMs, runJournal, stateOf } from '../dashboard/screen-models.ts';

const style = { glyphs: unicodeGlyphs, nowMs, timestamps: 'clock' } as const;

test('a panel is cells that any screen can show, without a width to fit', () => {
  const state = stateOf(runJournal);
  const words = (panel: typeof skillsPanel) => panel(state).items.map((item) => item.cells(style).map(({ text }) => text));
  expect(words(skillsPanel)[0]).toEqual(['▶', 'wave-orchestration', '62%', 'running', '13m49s']);
  for (const panel of [skillsPanel, agentsPanel, filesPanel, validationPanel, decisionsPanel]) {
    const { title, empty, items } = panel(state);
    expect([title, empty]).not.toContain('');
    // Every row of a panel has the same columns, so that a page can make a table of it.
    expect(new Set(items.map((item) => item.cells(style).length)).size).toBeLessThanOrEqual(1);
  }
});
