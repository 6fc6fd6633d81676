import type { Output, Tone } from './output.ts';

/** A cell of a table. The text must be safe already. */
export interface Cell {
  text: string;
  tone?: Tone;
}

const plainAscii = /^[\x20-\x7e]*$/;

/** The least of the last column that is kept where a line would be wider than the terminal. */
const leastLast = 8;

/** Rows under a heading, in columns as wide as they need to be; on a terminal the last one is cut where the line would wrap. */
export async function tableLines(
  heading: readonly string[],
  rows: readonly (readonly (Cell | string)[])[],
  output: Output,
): Promise<string[]> {
  const cells = [heading.map((text): Cell => ({ text, tone: 'strong' })), ...rows.map((row) => row.map(asCell))];
  const widthOf = await widthReader(cells);
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column]?.text ?? ''))));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = Math.max(leastLast, (output.window?.columns ?? Infinity) - before);
  return cells.map((row) =>
    row
      .map(({ text: whole, tone = 'plain' }, column) => {
        const isLast = column === row.length - 1;
        const text = isLast && widthOf(whole) > room ? cut(whole, room, widthOf) : whole;
        return output.paint(tone, text) + (isLast ? '' : ' '.repeat((widths[column] ?? 0) - widthOf(text)));
      })
      .join('  ')
      .trimEnd(),
  );
}

/** The beginning of a text, in so many columns, with a mark of the cut. */
function cut(text: string, width: number, widthOf: (text: string) => number): string {
  let kept = '';
  for (const character of text) {
    if (widthOf(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Returns the function that counts the columns of a text. string-width is loaded only where a text is not plain ASCII. */
async function widthReader(cells: readonly (readonly Cell[])[]): Promise<(text: string) => number> {
  if (cells.every((row) => row.every(({ text }) => plainAscii.test(text)))) return (text) => text.length;
  return (await import('string-width')).default;
}

function asCell(cell: Cell | string): Cell {
  return typeof cell === 'string' ? { text: cell } : cell;
}
