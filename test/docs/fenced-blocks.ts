import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  /** Where it stands, as `README.md:40`. */
  place: string;
  language: string;
  /** What stands after the language: `beside`, `setup`, `output`, or the name of a file. */
  mark: string;
  text: string;
}

/** The blocks below one heading: a reader goes through them in order, in one folder and with one server. */
export interface Scene {
  /** The page and the heading. */
  name: string;
  blocks: Block[];
}

/** The pages that people read; those that are generated have no blocks. */
export const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })].toSorted();

/** The scenes of a page. */
export function scenesOf(page: string): Scene[] {
  const scenes: Scene[] = [{ name: `${page}: its beginning`, blocks: [] }];
  let block: Block | undefined;
  for (const [at, line] of readFileSync(join(root, page), 'utf8').split('\n').entries()) {
    const fence = /^```(\S*) ?(.*)$/.exec(line);
    if (block !== undefined) {
      if (line === '```') block = undefined;
      else block.text += `${line}\n`;
    } else if (fence !== null) {
      block = { place: `${page}:${at + 1}`, language: fence[1] ?? '', mark: fence[2] ?? '', text: '' };
      scenes.at(-1)?.blocks.push(block);
    } else if (/^#+ /.test(line)) scenes.push({ name: `${page}: ${line.replace(/^#+ /, '')}`, blocks: [] });
  }
  if (block !== undefined) throw new Error(`the block at ${block.place} has no end`);
  return scenes.filter(({ blocks }) => blocks.length > 0);
}

/** Lines that Markdown takes for a block without a fence. */
export function indentedBlocks(page: string): string[] {
  const withoutFences = readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```$/gm, '');
  return [...withoutFences.matchAll(/\n\n {4,}(?![-*] )(.*)/g)].map(([, line = '']) => line);
}
