import { useEffect, useRef, type ReactNode } from 'react';
import UPlot from 'uplot';
import type { AnalyticsRow } from '../../core/rollup/analytics-api.ts';
import { timeText } from '../../view/text/analytics-cells.ts';
import { count } from '../../view/text/numbers.ts';
import { useMedia } from '../parts/use-media.ts';

const daySeconds = 86_400;
const heightPixels = 190;
/** Bars take this part of a day's width, and no more pixels. */
const barSize: [number, number] = [0.7, 44];
/** Lengths of time that people count in, in milliseconds. */
const timeSteps = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 7_200, 21_600, 43_200, 86_400, 864_000].map((seconds) => seconds * 1_000);

/** One figure of each day. */
interface Figure {
  name: string;
  /** The variable of the style that has its colour. */
  color: string;
  of: (row: AnalyticsRow) => number | null;
}

interface DayChart {
  title: string;
  figures: readonly Figure[];
  /** Bars that stand on each other add up; lines do not. */
  kind: 'bars' | 'lines';
  text: (value: number) => string;
}

const runsOf = ({ started, completed, failed, lost }: AnalyticsRow): number => Math.max(started, completed + failed + lost);
const badOf = ({ failed, lost }: AnalyticsRow): number => failed + lost;

/** What the columns of the table by day tell, over time. */
function chartsOf(rows: readonly AnalyticsRow[]): DayChart[] {
  const most = Math.max(1, ...rows.map(runsOf));
  const charts: DayChart[] = [
    {
      title: `Runs by day, up to ${count(most)}`,
      kind: 'bars',
      text: count,
      figures: [
        { name: 'completed', color: '--good', of: ({ completed }) => completed },
        { name: 'failed or lost', color: '--bad', of: badOf },
        { name: 'not ended', color: '--active', of: (row) => runsOf(row) - row.completed - badOf(row) },
      ],
    },
    {
      title: 'How long runs took',
      kind: 'lines',
      text: timeText,
      figures: [
        { name: 'half of them (p50)', color: '--active', of: (row) => row.duration_p50_ms },
        { name: 'nearly all (p95)', color: '--warn', of: (row) => row.duration_p95_ms },
      ],
    },
    {
      title: 'Where the time went',
      kind: 'bars',
      text: timeText,
      figures: [
        { name: 'worked', color: '--good', of: (row) => row.working_ms },
        { name: 'waited for somebody', color: '--warn', of: (row) => row.waiting_ms },
        { name: 'halted', color: '--bad', of: (row) => row.halted_ms },
      ],
    },
    {
      title: 'Cost',
      kind: 'bars',
      text: (dollars) => `$${dollars.toFixed(2)}`,
      figures: [{ name: 'cost', color: '--accent', of: (row) => row.cost_usd }],
    },
  ];
  return charts.filter(({ figures }) => figures.some(({ of }) => rows.some((row) => (of(row) ?? 0) > 0)));
}

/** The figures of days as charts over time. Days without a run stand between the others; the table below says the same in numbers. */
export function DayCharts({ rows }: { rows: readonly AnalyticsRow[] }): ReactNode {
  const isDark = useMedia('(prefers-color-scheme: dark)');
  return (
    <div className="day-charts">
      {chartsOf(rows).map((chart) => (
        <Chart key={`${chart.title} ${isDark}`} chart={chart} rows={rows} />
      ))}
    </div>
  );
}

function Chart({ chart, rows }: { chart: DayChart; rows: readonly AnalyticsRow[] }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(chart);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const plot = drawn(latest.current, rows, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: heightPixels }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [rows]);
  return (
    <figure className="card chart">
      <figcaption>{chart.title}</figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}

function drawn({ figures, kind, text }: DayChart, rows: readonly AnalyticsRow[], element: HTMLElement): UPlot {
  const days = daysOf(rows);
  const byDay = new Map(rows.map((row) => [secondsOf(row), row]));
  const values = figures.map(({ of }) =>
    days.map((day) => {
      const row = byDay.get(day);
      return row === undefined ? (kind === 'bars' ? 0 : null) : of(row);
    }),
  );
  // Bars that stand on each other are drawn from the highest to the lowest, each as high as what is below it and itself.
  const order = kind === 'bars' ? figures.map((_, at) => at).toReversed() : figures.map((_, at) => at);
  const heights = order.map((at) =>
    kind === 'bars' ? days.map((_, day) => values.slice(0, at + 1).reduce((sum, each) => sum + (each[day] ?? 0), 0)) : (values[at] ?? []),
  );
  const style = getComputedStyle(document.documentElement);
  const colorOf = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colorOf('--muted'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colorOf('--border'), width: 1 },
    ticks: { show: false },
  };
  const options: UPlot.Options = {
    width: element.clientWidth,
    height: heightPixels,
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    cursor: { drag: { x: false, y: false }, y: false, points: { show: kind === 'lines' } },
    scales: {
      x: { time: true, range: (_plot, min, max) => [min - daySeconds / 2, max + daySeconds / 2] },
      y: { range: (_plot, _min, max) => [0, Math.max(max, 1e-9) * 1.08] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        incrs: [1, 2, 7, 14, 30, 90, 365].map((each) => each * daySeconds),
        values: (_plot, splits) => splits.map((seconds) => dayText(seconds).slice(5)),
      },
      {
        ...axis,
        size: 62,
        ...(text === timeText ? { incrs: timeSteps } : {}),
        space: 34,
        values: (_plot, splits) => splits.map((value) => (value === 0 ? '0' : text(value))),
      },
    ],
    series: [
      { label: 'day', value: (_plot, seconds: number | null) => (seconds === null ? '' : dayText(seconds)) },
      ...order.map((at): UPlot.Series => {
        const { name, color } = figures[at] ?? { name: '', color: '' };
        const drawnIn = colorOf(color);
        return {
          label: name,
          stroke: drawnIn,
          width: kind === 'bars' ? 0 : 2,
          points: { show: kind === 'lines', size: 6, fill: drawnIn },
          spanGaps: true,
          ...(kind === 'bars' ? { fill: drawnIn, paths: UPlot.paths.bars?.({ size: barSize }) } : {}),
          value: (_plot, _value, _series, day) => {
            const value = day === null ? null : values[at]?.[day];
            return value == null ? '' : text(value);
          },
        };
      }),
    ],
  };
  return new UPlot(options, [days, ...heights], element);
}

function secondsOf({ key }: AnalyticsRow): number {
  return Date.parse(`${key}T00:00:00Z`) / 1_000;
}

/** Every day from the first to the last; where these are too many, only those that have a row. */
function daysOf(rows: readonly AnalyticsRow[]): number[] {
  const known = rows.map(secondsOf).filter((seconds) => !Number.isNaN(seconds));
  const [first, last] = [Math.min(...known), Math.max(...known)];
  const most = 1_000;
  return last - first > most * daySeconds
    ? known.toSorted((a, b) => a - b)
    : Array.from({ length: (last - first) / daySeconds + 1 }, (_, at) => first + at * daySeconds);
}

function dayText(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 10);
}
