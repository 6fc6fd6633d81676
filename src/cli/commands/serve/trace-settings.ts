import { isLoopback } from '../../../core/loopback.ts';
import type { TraceExportOptions } from '../../../server/create-server.ts';
import { usageFailure } from '../../failure.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** As OpenTelemetry's exporters have it. */
const defaultTimeoutMs = 10_000;

/**
 * Where sessions are sent as traces: `--otlp`, or else what OpenTelemetry's own variables say.
 * @param otlp the URL of the receiver, to which /v1/traces is added
 * @param port the port that this server listens at
 * @throws Failure a variable, and what is wrong with it
 */
export function traceExportOf(otlp: string | undefined, environment: Environment, port: number): TraceExportOptions | undefined {
  /** What is said for traces alone counts before what is said for every signal. */
  const given = (name: string): [value: string, name: string] | undefined => {
    const names = [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`];
    const found = names.find((each) => (environment[each] ?? '') !== '');
    return found === undefined ? undefined : [environment[found] ?? '', found];
  };
  const isOff = environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || environment['OTEL_TRACES_EXPORTER'] === 'none';
  const [endpoint, name] = otlp === undefined ? (isOff ? [] : (given('ENDPOINT') ?? [])) : [otlp, '--otlp'];
  if (endpoint === undefined || name === undefined) return undefined;
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw usageFailure(
      `${name} must be an http(s) URL without a user, such as http://127.0.0.1:4318; a key belongs in OTEL_EXPORTER_OTLP_HEADERS`,
    );
  }
  const isWhole = name === 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' || url.pathname.endsWith('/v1/traces');
  if (!isWhole) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  if (isLoopback(url.hostname) && Number(url.port || 80) === port) {
    throw usageFailure(`${name} names this server itself, which receives telemetry of agents; name another receiver`);
  }
  const [protocol, protocolName] = given('PROTOCOL') ?? ['http/protobuf', ''];
  if (protocol !== 'http/protobuf' && protocol !== 'http/json') {
    throw usageFailure(`${protocolName} must be http/protobuf or http/json: traces are sent over HTTP only`);
  }
  const timeoutMs = Number(given('TIMEOUT')?.[0]);
  const [headers, headersName] = given('HEADERS') ?? ['', ''];
  return {
    url: url.href,
    headers: pairsOf(headers, headersName),
    protocol,
    isCompressed: given('COMPRESSION')?.[0] === 'gzip',
    timeoutMs: timeoutMs > 0 ? timeoutMs : defaultTimeoutMs,
    resource: {
      'service.name': 'shannon-dash',
      ...pairsOf(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? '', 'OTEL_RESOURCE_ATTRIBUTES'),
      ...(environment['OTEL_SERVICE_NAME'] === undefined ? {} : { 'service.name': environment['OTEL_SERVICE_NAME'] }),
    },
    hasContent: /^(?:true|span_only|span_and_event)$/i.test(environment['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'] ?? ''),
  };
}

/** `key=value,key=value`, with what is not plain in percent encoding. */
function pairsOf(list: string, name: string): Record<string, string> {
  const parts = list.split(',').filter((each) => each.trim() !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const [key = '', value] = part.split(/=(.*)/s);
      // What it holds may be a key, and is not told.
      if (key.trim() === '' || value === undefined) throw usageFailure(`${name} must be key=value, with commas between several`);
      return [key.trim(), decoded(value.trim())];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
