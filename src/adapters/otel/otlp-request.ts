import { z } from 'zod';

/**
 * Requests of OTLP/HTTP, version 1, as their JSON has them, as far as they are read here. Everything else in them is let go unread.
 * A 64-bit number is a text, or a number where an exporter sends it so.
 */
const text = z.string('must be a text').nullish();
const wide = z.union([z.string(), z.number()], 'must be a number, or a text that holds one').nullish();
const anyValue = z.object({
  stringValue: text,
  boolValue: z.boolean('must be true or false').nullish(),
  intValue: wide,
  doubleValue: wide,
});
const attributes = listOf(z.object({ key: z.string('must be a text'), value: anyValue.nullish() }));
const resource = z.object({ attributes }).nullish();
const scope = z.object({ name: text }).nullish();

const logRecord = z.object({ timeUnixNano: wide, observedTimeUnixNano: wide, body: anyValue.nullish(), eventName: text, attributes });
const numberDataPoint = z.object({ startTimeUnixNano: wide, timeUnixNano: wide, asDouble: wide, asInt: wide, attributes });
const sum = z
  .object({ dataPoints: listOf(numberDataPoint), aggregationTemporality: z.union([z.number(), z.string()]).nullish() })
  .nullish();
const metric = z.object({ name: text, sum });
const span = z.object({ traceId: text, spanId: text, name: text, startTimeUnixNano: wide, endTimeUnixNano: wide, attributes });

export const logsRequest = z.object({
  resourceLogs: listOf(z.object({ resource, scopeLogs: listOf(z.object({ scope, logRecords: listOf(logRecord) })) })),
});
export const metricsRequest = z.object({
  resourceMetrics: listOf(z.object({ resource, scopeMetrics: listOf(z.object({ scope, metrics: listOf(metric) })) })),
});
export const tracesRequest = z.object({
  resourceSpans: listOf(z.object({ resource, scopeSpans: listOf(z.object({ scope, spans: listOf(span) })) })),
});

export type LogsRequest = z.output<typeof logsRequest>;
export type MetricsRequest = z.output<typeof metricsRequest>;
export type TracesRequest = z.output<typeof tracesRequest>;
export type GivenAttributes = z.output<typeof attributes>;

/** Attributes by their names. Those that are neither a text, a number nor true or false are left out. */
export type Attributes = ReadonlyMap<string, string | number | boolean>;

export function attributesOf(...given: readonly GivenAttributes[]): Attributes {
  const found = new Map<string, string | number | boolean>();
  for (const { key, value } of given.flat()) {
    const { stringValue, boolValue, intValue, doubleValue } = value ?? {};
    const number = intValue ?? doubleValue;
    const read = stringValue ?? boolValue ?? (number === undefined || number === null ? undefined : Number(number));
    if (read !== undefined) found.set(key, read);
  }
  return found;
}

/** Nanoseconds since 1970 as ISO 8601 UTC with milliseconds; undefined for 0 and for what is no time. */
export function timeOfNanos(nanos: string | number | null | undefined): string | undefined {
  const ms = Number(nanos ?? 0) / 1e6;
  return ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : undefined;
}

function listOf<Each extends z.ZodType>(each: Each) {
  return z
    .array(each, 'must be a list')
    .nullish()
    .transform((given) => given ?? []);
}
