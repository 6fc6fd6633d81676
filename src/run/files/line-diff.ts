import { structuredPatch } from 'diff';

/** The hunks of a unified diff. What is beyond some lines and characters is left out, which the last line says. */
export interface LineDiff {
  readonly lines: readonly string[];
  readonly added: number;
  readonly removed: number;
}

const [mostLines, mostChars, lineChars] = [400, 16 * 1024, 1_000];
/** Texts that differ in more lines are not compared: it takes time by the square of this. */
const mostEdits = 400;

/** Compares two texts line by line; undefined where they differ in too much. */
export function lineDiff(before: string, after: string): LineDiff | undefined {
  const all = before === '' || after === '' ? whole(before, after) : hunks(before, after);
  if (all === undefined) return undefined;
  const count = (sign: string) => all.filter((line) => line.startsWith(sign)).length;
  return { lines: bounded(all), added: count('+'), removed: count('-') };
}

function hunks(before: string, after: string): string[] | undefined {
  const found = structuredPatch('', '', before, after, '', '', { context: 3, maxEditLength: mostEdits });
  return found?.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
}

/** One hunk of a file that is new, or gone: there is nothing to compare. */
function whole(before: string, after: string): string[] {
  const [text, sign] = before === '' ? [after, '+'] : [before, '-'];
  if (text === '') return [];
  const lines = text.replace(/\n$/, '').split('\n');
  const range = `1,${lines.length}`;
  return [
    before === '' ? `@@ -0,0 +${range} @@` : `@@ -${range} +0,0 @@`,
    ...lines.map((line) => sign + line),
    ...(text.endsWith('\n') ? [] : ['\\ No newline at end of file']),
  ];
}

function bounded(all: readonly string[]): string[] {
  const lines: string[] = [];
  let chars = 0;
  for (const line of all) {
    // Whole or not at all: what is redacted afterwards must not be cut in two.
    const cut = line.length > lineChars ? `${line.slice(0, 1)}(a line of ${line.length - 1} characters)` : line;
    chars += cut.length + 1;
    if (lines.length === mostLines || chars > mostChars) return [...lines, `... and ${all.length - lines.length} more lines`];
    lines.push(cut);
  }
  return lines;
}
