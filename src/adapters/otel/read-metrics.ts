import { attributesOf, timeOfNanos, type Attributes, type MetricsRequest } from './otlp-request.ts';
import { idOf, name, sessionOf, type ReadTelemetry, type Tokens, type ToldUsage } from './told-usage.ts';

type Metric = MetricsRequest['resourceMetrics'][number]['scopeMetrics'][number]['metrics'][number];
type DataPoint = NonNullable<Metric['sum']>['dataPoints'][number];

const tokenUsage = 'claude_code.token.usage';
const costUsage = 'claude_code.cost.usage';
const tokenTypes: ReadonlyMap<unknown, keyof Tokens> = new Map([
  ['input', 'input_tokens'],
  ['output', 'output_tokens'],
  ['cacheRead', 'cache_read_tokens'],
  ['cacheCreation', 'cache_write_tokens'],
]);

/** What a data point is about: those of one request that are about the same make one report. */
interface Subject {
  session: string;
  model: string | undefined;
  agentName: string | undefined;
}

interface Added extends Subject {
  amounts: Partial<Record<keyof Tokens | 'cost_usd', number>>;
  since: number;
  until: number;
  points: [string, unknown][];
}

/**
 * The usage in the metrics of Claude Code. Those of Codex and Gemini CLI are let go: both log each request in the same setting. Only what
 * was added since the last export is read, as Claude Code sends it: sums since its start would need what was there before.
 */
export function readMetrics({ resourceMetrics }: MetricsRequest): ReadTelemetry {
  const added = new Map<string, Added>();
  let refused = 0;
  for (const metric of resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))) {
    const { sum } = metric;
    if ((metric.name !== tokenUsage && metric.name !== costUsage) || sum === null || sum === undefined) continue;
    const isDelta = sum.aggregationTemporality === 1 || sum.aggregationTemporality === 'AGGREGATION_TEMPORALITY_DELTA';
    if (isDelta) for (const point of sum.dataPoints) add(added, metric.name, point);
    else refused += sum.dataPoints.length;
  }
  const reason = 'Sums since the start are not counted; set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta';
  return { usage: [...added.values()].map(reportOf), refused: refused === 0 ? undefined : { count: refused, reason } };
}

function add(added: Map<string, Added>, metric: string, point: DataPoint): void {
  const attributes = attributesOf(point.attributes);
  const field = metric === costUsage ? 'cost_usd' : tokenTypes.get(attributes.get('type'));
  const subject = subjectOf(attributes);
  const value = Number(point.asDouble ?? point.asInt ?? 0);
  if (field === undefined || subject === undefined || !(value > 0 && Number.isFinite(value))) return;
  const key = JSON.stringify(subject);
  const known = added.get(key) ?? { ...subject, amounts: {}, since: Infinity, until: 0, points: [] };
  known.amounts[field] = (known.amounts[field] ?? 0) + value;
  known.since = Math.min(known.since, Number(point.startTimeUnixNano ?? 0));
  known.until = Math.max(known.until, Number(point.timeUnixNano ?? 0));
  known.points.push([field, [point.startTimeUnixNano, point.timeUnixNano, value, [...attributes]]]);
  added.set(key, known);
}

function subjectOf(attributes: Attributes): Subject | undefined {
  const session = sessionOf('claude-code', name(attributes, 'session.id'));
  // Its log records name the model without the size of its context, as `[1m]`.
  const model = name(attributes, 'model')?.replace(/\[[^\]]*\]$/, '');
  return session === undefined ? undefined : { session, model, agentName: name(attributes, 'agent.name') };
}

function reportOf({ session, model, agentName, amounts, since, until, points }: Added): ToldUsage {
  const timestamp = timeOfNanos(until);
  return {
    session,
    id: idOf('metrics', session, model, agentName, points),
    timestamp,
    data: { model, ...amounts, agent_name: agentName, signal: 'metrics', since: timeOfNanos(since), until: timestamp },
  };
}
