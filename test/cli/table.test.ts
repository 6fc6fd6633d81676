import { expect, test } from 'vitest';
import { Output } from '../../src/cli/terminal/output.ts';
import { tableLines } from '../../src/cli/terminal/table.ts';

test('columns stand below each other, whatever is in them', async () => {
  const output = await Output.open({ isJson: false, isQuiet: false, isVerbose: false, color: false });
  expect(
    await tableLines(
      ['NAME', 'STATUS'],
      [
        ['build', 'done'],
        ['構築', { text: 'running', tone: 'good' }],
        ['🚀', '-'],
      ],
      output,
    ),
  ).toEqual(['NAME   STATUS', 'build  done', '構築   running', '🚀     -']);
  expect(await tableLines(['A', 'B'], [['plain', '1']], output)).toEqual(['A      B', 'plain  1']);
});
