import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './fenced-blocks.ts';

const [second, day, MB, KB] = [1_000, 1, 1024 * 1024, 1024];

/** Figures that a page tells in a sentence, and the constant that each of them is. */
const figures: readonly [page: string, sentence: RegExp, source: string, constant: string, unit?: number][] = [
  ['README.md', /ends (\S+) seconds after its last user/, 'cli/commands/serve/serving.ts', 'unusedMs', second],
  ['docs/run.md', /ends (\S+) seconds after the last of them/, 'cli/commands/serve/serving.ts', 'unusedMs', second],
  ['docs/checkpoints.md', /announces: (\S+) at once/, 'run/checkpoints/checkpoint-announcements.ts', 'foreignAtOnce'],
  ['docs/checkpoints.md', /one every (\S+) seconds/, 'run/checkpoints/checkpoint-announcements.ts', 'foreignEveryMs', second],
  ['docs/checkpoints.md', /keeps (\S+) of them/, 'run/checkpoints/checkpoint-refs.ts', 'keptForeign'],
  ['docs/checkpoints.md', /above (\S+) MB/, 'run/checkpoints/work-tree-snapshot.ts', 'fileBytes', MB],
  ['docs/checkpoints.md', /beyond (\S+) MB/, 'run/checkpoints/work-tree-snapshot.ts', 'addedBytes', MB],
  ['docs/checkpoints.md', /keeps (\S+) checkpoints/, 'run/checkpoints/checkpoint-refs.ts', 'keptCheckpoints'],
  ['docs/checkpoints.md', /checkpoints and (\S+) GB/, 'run/checkpoints/checkpoint-refs.ts', 'keptBytes', 1024 * MB],
  ['docs/checkpoints.md', /used for (\S+) days/, 'run/checkpoints/checkpoint-store.ts', 'unusedDays', day],
  ['docs/guarantees.md', /heard of it for (\S+) minutes/, 'core/protocol/limits.ts', 'lostAfterMs', 60 * second],
  ['docs/server.md', /of at most (\S+) KiB/, 'cli/settings/configuration-file.ts', 'longestBytes', KB],
  ['docs/server.md', /longer than (\S+) s to read/, 'server/skills/skill-parser.ts', 'fileMs', second],
  ['docs/server.md', /\((\S+) files,/, 'server/skills/skill-folder.ts', 'files'],
  ['docs/server.md', /,\s(\S+) entries,/, 'server/skills/skill-folder.ts', 'entries'],
  ['docs/server.md', /(\S+) MiB\)/, 'server/skills/skill-registry.ts', 'chars', MB],
];

/** The value of a constant, or of a field of one, that is a product of numbers. */
function valueOf(source: string, constant: string): number {
  const product = new RegExp(`\\b${constant}(?: =|:) ([\\d_]+(?: \\* [\\d_]+)*)`).exec(
    readFileSync(join(root, 'src', source), 'utf8'),
  )?.[1];
  if (product === undefined) throw new Error(`${source} has no ${constant}`);
  return product.split(' * ').reduce((sum, factor) => sum * Number(factor.replaceAll('_', '')), 1);
}

test.each(figures)('%s: %s', (page, sentence, source, constant, unit = 1) => {
  const told = sentence.exec(readFileSync(join(root, page), 'utf8').replaceAll('\n', ' '))?.[1]?.replaceAll(',', '');
  expect(Number(told)).toBe(valueOf(source, constant) / unit);
});

test('the README fits in 250 lines', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(250);
});
