import type { Output, Tone } from './output.ts';

/** A cell of a table. The text must be safe already. */
export interface Cell {
  text: string;
  tone?: Tone;
}

const plainAscii = /^[\x20-\x7e]*$/;

/** Rows under a heading, in columns as wide as they need to be. */
export async function tableLines(
  heading: readonly string[],
  rows: readonly (readonly (Cell | string)[])[],
  output: Output,
): Promise<string[]> {
  const cells = [heading.map((text): Cell => ({ text, tone: 'strong' })), ...rows.map((row) => row.map(asCell))];
  const widthOf = await widthReader(cells);
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column]?.text ?? ''))));
  return cells.map((row) =>
    row
      .map(({ text, tone = 'plain' }, column) => {
        const isLast = column === row.length - 1;
        return output.paint(tone, text) + (isLast ? '' : ' '.repeat((widths[column] ?? 0) - widthOf(text)));
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Returns the function that counts the columns of a text. string-width is loaded only where a text is not plain ASCII. */
async function widthReader(cells: readonly (readonly Cell[])[]): Promise<(text: string) => number> {
  if (cells.every((row) => row.every(({ text }) => plainAscii.test(text)))) return (text) => text.length;
  return (await import('string-width')).default;
}

function asCell(cell: Cell | string): Cell {
  return typeof cell === 'string' ? { text: cell } : cell;
}
