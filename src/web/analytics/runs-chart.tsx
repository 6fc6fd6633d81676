import type { ReactNode } from 'react';
import type { AnalyticsRow } from '../../core/rollup/analytics-api.ts';
import { count } from '../../view/text/numbers.ts';
import { shown } from '../../view/text/shown-text.ts';

/** No more bars than this stand side by side. */
const mostBars = 60;

/** How many runs there were of each folder, agent or the like, and how they ended: a bar for each row of the table below it. */
export function RunsChart({ by, rows }: { by: string; rows: readonly AnalyticsRow[] }): ReactNode {
  const drawn = rows.slice(0, mostBars);
  const runsOf = ({ started, completed, failed, lost }: AnalyticsRow): number => Math.max(started, completed + failed + lost);
  const most = Math.max(1, ...drawn.map(runsOf));
  return (
    <figure className="card chart">
      <figcaption>
        {`Runs by ${by}, up to ${count(most)}: `}
        <span className="tone-good">completed</span>, <span className="tone-bad">failed or lost</span>,{' '}
        <span className="tone-active">not ended</span>
      </figcaption>
      <div className="bars" aria-hidden="true">
        {drawn.map((row) => {
          const bad = row.failed + row.lost;
          const open = runsOf(row) - row.completed - bad;
          const name = shown(row.key, 60);
          return (
            <div
              key={row.key}
              className="bar-column"
              title={`${name}: ${count(row.completed)} completed, ${count(bad)} failed or lost, ${count(open)} not ended`}
            >
              <div className="bar-stack">
                <div className="tone-active" style={{ height: `${(open / most) * 100}%` }} />
                <div className="tone-bad" style={{ height: `${(bad / most) * 100}%` }} />
                <div className="tone-good" style={{ height: `${(row.completed / most) * 100}%` }} />
              </div>
              <span>{name}</span>
            </div>
          );
        })}
      </div>
    </figure>
  );
}
