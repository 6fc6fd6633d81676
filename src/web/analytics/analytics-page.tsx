import { useEffect, useState, type ReactNode } from 'react';
import type { AnswerOf } from '../../core/http-api.ts';
import { analyticsKeys } from '../../core/rollup/analytics-keys.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { analyticsCells, analyticsHeads, timeText } from '../../view/text/analytics-cells.ts';
import { count, counted } from '../../view/text/numbers.ts';
import { shown } from '../../view/text/shown-text.ts';
import { useKeys } from '../keys/use-keys.ts';
import { Link } from '../parts/link.tsx';
import type { PageStore } from '../store/page-store.ts';
import { DayCharts } from './day-charts.tsx';
import { FigureTable } from './figure-table.tsx';
import { RunsChart } from './runs-chart.tsx';

type Key = (typeof analyticsKeys)[number];

/** Days that one can look back; null: all. */
const periods: readonly (number | null)[] = [7, 30, 90, null];

const dayMs = 86_400_000;

/** What all sessions add up to: runs, failures, lengths, where the time went, tokens and cost. */
export function AnalyticsPage({ store }: { store: PageStore }): ReactNode {
  const [by, setBy] = useState<Key>('day');
  const [days, setDays] = useState<number | null>(30);
  const [answer, setAnswer] = useState<AnswerOf<'analytics'>>();
  const [problem, setProblem] = useState('');
  const { connection } = store;
  useKeys({ Escape: () => store.go({ session: undefined, at: undefined }) });
  useEffect(() => {
    let isLeft = false;
    const nowMs = connection?.serverNowMs ?? Date.now();
    const since = days === null ? undefined : new Date(nowMs - (days - 1) * dayMs).toISOString().slice(0, 10);
    connection
      ?.read('analytics', { query: { by, since } })
      .then((figures) => {
        if (isLeft) return;
        setAnswer(figures);
        setProblem('');
      })
      .catch((error: unknown) => !isLeft && setProblem(reasonOf(error)));
    return () => {
      isLeft = true;
    };
  }, [connection, by, days]);

  const csv = `/api/analytics?${new URLSearchParams({ by, format: 'csv', ...(answer?.since == null ? {} : { since: answer.since }) })}`;
  return (
    <div className="overview analytics">
      <div className="overview-head">
        <h1>Analytics</h1>
        <p className="muted">whole days, by UTC</p>
        <Link store={store} to={{ session: undefined, at: undefined }} className="aside">
          All sessions
        </Link>
      </div>
      <div className="filters">
        <Choice label="By" options={analyticsKeys.map((key) => [key, key])} value={by} onChoose={setBy} />
        <Choice
          label="Period"
          options={periods.map((each) => [each, each === null ? 'all' : `${each} days`])}
          value={days}
          onChoose={setDays}
        />
        <a className="chip link" href={csv} download={`shannon-dash-${by}.csv`}>
          Export as CSV
        </a>
      </div>
      {problem === '' ? null : (
        <p role="alert" className="tone-bad">
          {problem}
        </p>
      )}
      {answer === undefined ? problem === '' && <p className="empty">Loading ...</p> : <Figures answer={answer} />}
    </div>
  );
}

function Figures({ answer }: { answer: AnswerOf<'analytics'> }): ReactNode {
  const { by, rows, total, left_out, slowest_skills, failing_skills, commands } = answer;
  if (rows.length === 0) return <p className="empty">There are no runs of that time.</p>;
  // Of skills, the total of runs is another thing.
  const all = by !== 'skill' && rows.length > 1 ? [[{ text: 'all', tone: 'strong' as const }, ...analyticsCells(total)]] : [];
  const skills = (list: typeof slowest_skills) =>
    list.map(({ skill, completed, failed, failure_rate, duration_p50_ms, duration_p95_ms }) => [
      { text: shown(skill, 80) },
      { text: count(completed + failed) },
      { text: failure_rate === null ? '-' : `${Math.round(failure_rate * 100)}%` },
      { text: timeText(duration_p50_ms) },
      { text: timeText(duration_p95_ms) },
    ]);
  const skillHeads = ['SKILL', 'RUNS', 'FAILED', 'P50', 'P95'];
  return (
    <>
      {by === 'day' ? <DayCharts rows={rows} /> : <RunsChart by={by} rows={rows} />}
      <FigureTable
        title={`By ${by}`}
        heads={[by.toUpperCase(), ...analyticsHeads]}
        rows={[...rows.map((row) => [{ text: shown(row.key, 80) }, ...analyticsCells(row)]), ...all]}
      />
      {left_out > 0 ? <p className="muted small">{`and ${counted(left_out, 'further row')}; choose a shorter period`}</p> : null}
      <div className="figure-tables">
        <FigureTable title="Slowest skills" heads={skillHeads} rows={skills(slowest_skills)} />
        <FigureTable title="Skills that fail most" heads={skillHeads} rows={skills(failing_skills)} />
        <FigureTable
          title="Commands"
          heads={['COMMAND', 'APPLIED', 'FAILED', 'REJECTED', 'EXPIRED']}
          rows={commands.map((each) => [
            { text: shown(each.command_type, 40) },
            ...[each.applied, each.failed, each.rejected, each.expired].map((value) => ({ text: value === 0 ? '-' : count(value) })),
          ])}
        />
      </div>
    </>
  );
}

interface ChoiceProps<Value> {
  label: string;
  options: readonly (readonly [value: Value, label: string])[];
  value: Value;
  onChoose: (value: Value) => void;
}

function Choice<Value extends string | number | null>({ label, options, value, onChoose }: ChoiceProps<Value>): ReactNode {
  return (
    <div className="chips" role="group" aria-label={label}>
      <span className="muted small" aria-hidden="true">
        {label}
      </span>
      {options.map(([each, name]) => (
        <button key={name} type="button" className="chip" aria-pressed={each === value} onClick={() => onChoose(each)}>
          {name}
        </button>
      ))}
    </div>
  );
}
