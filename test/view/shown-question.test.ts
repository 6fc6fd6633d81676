import { expect, test } from 'vitest';
import { shownQuestion } from '../../src/view/decision-prompt.ts';

test('a question that takes several answers says how to give them', () => {
  expect(shownQuestion({ question: 'Which parts?', multiple: true })).toBe(
    'Which parts? (several may be chosen: send DECISION --choice A,B)',
  );
  expect(shownQuestion({ question: 'Which\u001b[2J color?', multiple: false })).not.toContain('\u001b');
});
