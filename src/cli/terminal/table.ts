import type { Output, Tone } from './output.ts';

/** A cell of a table. The text must be safe already. */
export interface Cell {
  text: string;
  tone?: Tone;
}

/** Rows under a heading, in columns as wide as they need to be. */
export function tableLines(heading: readonly string[], rows: readonly (readonly (Cell | string)[])[], output: Output): string[] {
  const cells = [heading.map((text): Cell => ({ text, tone: 'strong' })), ...rows.map((row) => row.map(asCell))];
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => row[column]?.text.length ?? 0)));
  return cells.map((row) =>
    row
      .map(({ text, tone = 'plain' }, column) => {
        const isLast = column === row.length - 1;
        return output.paint(tone, text) + (isLast ? '' : ' '.repeat((widths[column] ?? 0) - text.length));
      })
      .join('  ')
      .trimEnd(),
  );
}

function asCell(cell: Cell | string): Cell {
  return typeof cell === 'string' ? { text: cell } : cell;
}
