import { z } from 'zod';
import type { Endpoint } from './http-endpoint.ts';
import { anyObject } from './text/text.ts';

const told = z.string('must be a text');
const rejected = z.number('must be a number');

/** The types of bodies in protobuf. */
export const protobufTypes = ['application/x-protobuf', 'application/protobuf'] as const;

const statuses = {
  200: 'Taken. `partialSuccess` says what was not, and why',
  400: 'It is no such request',
  413: 'Too large',
  415: 'It is in another encoding',
} as const;

function endpointOf<Signal extends string>(signal: Signal, rejectedField: string, summary: string) {
  return {
    method: 'POST',
    path: `/v1/${signal}`,
    summary,
    verb: 'publish',
    body: anyObject,
    bodyBytes: protobufTypes,
    verbChecksBody: true,
    answer: z.object({ partialSuccess: z.object({ [rejectedField]: rejected, errorMessage: told }).optional() }),
    statuses,
  } as const satisfies Endpoint;
}

/** OTLP/HTTP, as OpenTelemetry's exporters send it: gzip or not, as JSON or as protobuf. */
export const telemetryApi = {
  telemetryLogs: endpointOf('logs', 'rejectedLogRecords', 'Log records by OpenTelemetry: coding agents tell tokens and cost in theirs'),
  telemetryMetrics: endpointOf(
    'metrics',
    'rejectedDataPoints',
    'Metrics by OpenTelemetry: tokens and cost of Claude Code, where it sends no logs',
  ),
  telemetryTraces: endpointOf('traces', 'rejectedSpans', 'Spans by OpenTelemetry: those of calls of models tell tokens'),
} as const;
