import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';

/** How a field lies in a message. A list holds the fields of the messages in it. */
type Form = 'text' | 'flag' | 'number' | 'double' | 'fixed64' | 'int64' | 'sfixed64' | 'hex' | { one: Fields } | { many: Fields };
/** The fields that are read, by their numbers in opentelemetry-proto 1.x. */
type Fields = Readonly<Record<number, readonly [name: string, form: Form]>>;

const anyValue: Fields = {
  1: ['stringValue', 'text'],
  2: ['boolValue', 'flag'],
  3: ['intValue', 'int64'],
  4: ['doubleValue', 'double'],
};
const attribute: Fields = { 1: ['key', 'text'], 2: ['value', { one: anyValue }] };
const attributes = ['attributes', { many: attribute }] as const;
const resource = ['resource', { one: { 1: attributes } }] as const;
const scope = ['scope', { one: { 1: ['name', 'text'] } }] as const;

const logRecord: Fields = {
  1: ['timeUnixNano', 'fixed64'],
  5: ['body', { one: anyValue }],
  6: attributes,
  11: ['observedTimeUnixNano', 'fixed64'],
  12: ['eventName', 'text'],
};
const dataPoint: Fields = {
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['asDouble', 'double'],
  6: ['asInt', 'sfixed64'],
  7: attributes,
};
const metric: Fields = {
  1: ['name', 'text'],
  7: ['sum', { one: { 1: ['dataPoints', { many: dataPoint }], 2: ['aggregationTemporality', 'number'] } }],
};
const span: Fields = {
  1: ['traceId', 'hex'],
  2: ['spanId', 'hex'],
  5: ['name', 'text'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: attributes,
};

/** A request of each signal. */
const requests = {
  logs: requestOf(['resourceLogs', 'scopeLogs', 'logRecords'], logRecord),
  metrics: requestOf(['resourceMetrics', 'scopeMetrics', 'metrics'], metric),
  traces: requestOf(['resourceSpans', 'scopeSpans', 'spans'], span),
} as const;

const wireTypes = {
  text: WireType.LengthDelimited,
  hex: WireType.LengthDelimited,
  flag: WireType.Varint,
  number: WireType.Varint,
  int64: WireType.Varint,
  double: WireType.Bit64,
  fixed64: WireType.Bit64,
  sfixed64: WireType.Bit64,
} as const;

/**
 * A request of OTLP in protobuf in the form that it has in JSON, as far as it is read here.
 * @throws ShannonDashError INVALID it is none, or has more messages than a request may have
 */
export function decodeRequest(signal: keyof typeof requests, bytes: Uint8Array): unknown {
  const counted = { parts: 0 };
  try {
    return decodeMessage(new BinaryReader(bytes), bytes.length, requests[signal], counted);
  } catch (error) {
    if (error instanceof ShannonDashError) throw error;
    throw new ShannonDashError('INVALID', `The body is no OTLP request of ${signal} in protobuf: ${(error as Error).message}`);
  }
}

/** The answer to a request in protobuf. */
export function encodeResponse(partial: { count: number; reason: string } | undefined): Uint8Array {
  const writer = new BinaryWriter();
  if (partial === undefined) return writer.finish();
  const { count, reason } = partial;
  return writer
    .tag(1, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.Varint)
    .int64(count)
    .tag(2, WireType.LengthDelimited)
    .string(reason)
    .join()
    .finish();
}

function requestOf([resources, scopes, items]: readonly [string, string, string], item: Fields): Fields {
  return { 1: [resources, { many: { 1: resource, 2: [scopes, { many: { 1: scope, 2: [items, { many: item }] } }] } }] };
}

function decodeMessage(reader: BinaryReader, length: number, fields: Fields, counted: { parts: number }): Record<string, unknown> {
  if (++counted.parts > limits.requestParts) {
    throw new ShannonDashError('INVALID', `The body has more than ${limits.requestParts} messages in it; send less at a time`);
  }
  const message: Record<string, unknown> = {};
  const end = reader.pos + length;
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const [name, form] = fields[number] ?? [];
    const expected = typeof form === 'string' ? wireTypes[form] : WireType.LengthDelimited;
    if (name === undefined || form === undefined || wireType !== expected) reader.skip(wireType, number);
    else if (typeof form === 'string') message[name] = scalar(reader, form);
    else if ('one' in form) message[name] = decodeMessage(reader, reader.uint32(), form.one, counted);
    else ((message[name] ??= []) as unknown[]).push(decodeMessage(reader, reader.uint32(), form.many, counted));
  }
  if (reader.pos !== end) throw new RangeError('a message ends within a field');
  return message;
}

function scalar(reader: BinaryReader, form: keyof typeof wireTypes): string | number | boolean {
  switch (form) {
    case 'text':
      return reader.string();
    case 'hex':
      return Buffer.from(reader.bytes()).toString('hex');
    case 'flag':
      return reader.bool();
    case 'number':
      return reader.int32();
    case 'double':
      return reader.double();
    default:
      return String(reader[form]());
  }
}
