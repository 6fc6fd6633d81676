import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanAttributes, TracedSpan } from './traced-span.ts';

/** The encodings of OTLP/HTTP, by the names that OTEL_EXPORTER_OTLP_PROTOCOL has for them. */
export type OtlpProtocol = 'http/protobuf' | 'http/json';

export interface EncodedBy {
  protocol: OtlpProtocol;
  /** Who sends: `service.name` and others. */
  resource: SpanAttributes;
  /** The version of this program. */
  version: string;
}

type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

const contentTypes = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' } as const;
/** SpanKind.INTERNAL, SpanStatusCode.UNSET and ERROR, TraceFlags.SAMPLED of OpenTelemetry's API. */
const [internal, unset, failed, sampled] = [0, 0, 2, 1] as const;

/** Spans as the body of a request to /v1/traces. */
export function encodeSpans(spans: readonly TracedSpan[], { protocol, resource, version }: EncodedBy) {
  const shared = {
    resource: { attributes: resource, merge: () => shared.resource, getRawAttributes: () => Object.entries(resource) },
    instrumentationScope: { name: 'shannon-dash', version },
  } as unknown as Pick<ReadableSpan, 'resource' | 'instrumentationScope'>;
  const serializer = protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const body = serializer.serializeRequest(spans.map((span) => readable(span, shared))) ?? new Uint8Array();
  return { type: contentTypes[protocol], body: new Uint8Array(body) };
}

/** Of an answer: how many spans the receiver has not taken, and why. Undefined where it took all, or says nothing that can be read. */
export function rejectedSpans(body: Uint8Array, type: string | null): { count: number; reason: string } | undefined {
  if (body.length === 0) return undefined;
  try {
    const serializer = type?.includes('json') === true ? JsonTraceSerializer : ProtobufTraceSerializer;
    const { partialSuccess } = serializer.deserializeResponse(body);
    const count = partialSuccess?.rejectedSpans ?? 0;
    return count > 0 ? { count, reason: partialSuccess?.errorMessage ?? '' } : undefined;
  } catch {
    return undefined;
  }
}

function readable(span: TracedSpan, shared: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>): ReadableSpan {
  const { name, traceId, spanId, parentSpanId, startMs, endMs, error, attributes, events, droppedEvents } = span;
  const context = (id: string) => ({ traceId, spanId: id, traceFlags: sampled });
  return {
    ...shared,
    name,
    kind: internal,
    spanContext: () => context(spanId),
    ...(parentSpanId === undefined ? {} : { parentSpanContext: context(parentSpanId) }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(endMs - startMs),
    status: error === undefined ? { code: unset } : { code: failed, message: error },
    attributes,
    events: events.map((event) => ({
      name: event.name,
      time: hrTime(event.atMs),
      attributes: event.attributes,
      droppedAttributesCount: 0,
    })),
    links: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: droppedEvents,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): [number, number] {
  const whole = Math.floor(ms);
  return [Math.floor(whole / 1_000), (whole % 1_000) * 1_000_000];
}
