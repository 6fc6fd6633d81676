import type { ReactNode } from 'react';
import type { Span } from '../../view/cells.ts';
import { toneClass } from '../parts/spans.tsx';

/** A table of figures, each row by its name. Nothing is drawn where there are no rows. */
export function FigureTable({
  title,
  heads,
  rows,
}: {
  title: string;
  heads: readonly string[];
  rows: readonly (readonly Span[])[];
}): ReactNode {
  if (rows.length === 0) return null;
  return (
    <section className="card figures" aria-label={title} tabIndex={0}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...cells]) => (
            <tr key={name?.text}>
              <th scope="row" className={toneClass(name?.tone ?? 'plain')}>
                {name?.text}
              </th>
              {cells.map(({ text, tone = 'plain' }, at) => (
                // The columns keep their places.
                // oxlint-disable-next-line react/no-array-index-key
                <td key={at} className={toneClass(tone)}>
                  {text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
