import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logsRequest, metricsRequest, tracesRequest } from '../../adapters/otel/otlp-request.ts';
import { readLogs } from '../../adapters/otel/read-logs.ts';
import { readMetrics } from '../../adapters/otel/read-metrics.ts';
import { readTraces } from '../../adapters/otel/read-traces.ts';
import type { ReadTelemetry } from '../../adapters/otel/told-usage.ts';
import { parse } from '../../core/json/parse.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { protobufTypes } from '../../core/telemetry-api.ts';
import { dearJson, isDearJson } from '../access/dear-json.ts';
import { principalOf, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

const unzip = promisify(gunzip);

type Signal = 'logs' | 'metrics' | 'traces';

/** `/v1/logs`, `/v1/metrics` and `/v1/traces`: telemetry of agents, by OTLP/HTTP. Of what it holds, only tokens and cost are kept. */
export function addTelemetryRoutes(app: FastifyInstance, parts: RouteParts): void {
  // Other routes read neither protobuf nor what is compressed.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer) => decodedRequest(request, body));
    addRoute(scope, 'telemetryLogs', async ({ body, request, reply }) => {
      const refused = await take(parts, request, () => readLogs(parse(logsRequest, body())));
      return answer(reply, refused, (rejectedLogRecords) => ({ rejectedLogRecords }));
    });
    addRoute(scope, 'telemetryMetrics', async ({ body, request, reply }) => {
      const refused = await take(parts, request, () => readMetrics(parse(metricsRequest, body())));
      return answer(reply, refused, (rejectedDataPoints) => ({ rejectedDataPoints }));
    });
    addRoute(scope, 'telemetryTraces', async ({ body, request, reply }) => {
      const refused = await take(parts, request, () => readTraces(parse(tracesRequest, body())));
      return answer(reply, refused, (rejectedSpans) => ({ rejectedSpans }));
    });
  });
}

async function take(parts: RouteParts, request: FastifyRequest, read: () => ReadTelemetry): Promise<ReadTelemetry['refused']> {
  const access = parts.as(principalOf(request, 'telemetry'));
  // Whether the caller may publish at all is asked before anything of it is looked at.
  access.producer();
  const { usage, refused } = read();
  const more = await access.reportUsage(usage);
  if (refused === undefined || more === undefined) return refused ?? more;
  return { count: refused.count + more.count, reason: refused.reason };
}

/** In the encoding of the request, as OTLP wants it. */
async function answer(reply: FastifyReply, refused: ReadTelemetry['refused'], rejected: (count: number) => object): Promise<FastifyReply> {
  if (!isProtobuf(reply.request)) {
    return reply.send(refused === undefined ? {} : { partialSuccess: { ...rejected(refused.count), errorMessage: refused.reason } });
  }
  const { encodeResponse } = await import('../../adapters/otel/otlp-protobuf.ts');
  return reply.type(protobufTypes[0]).send(Buffer.from(encodeResponse(refused)));
}

/** A body in the form of JSON, in whichever encoding it came. */
async function decodedRequest(request: FastifyRequest, body: Buffer): Promise<unknown> {
  const bytes = await uncompressed(request, body);
  if (isProtobuf(request)) {
    const { decodeRequest } = await import('../../adapters/otel/otlp-protobuf.ts');
    return decodeRequest(request.url.split('?')[0]?.slice('/v1/'.length) as Signal, bytes);
  }
  if (typeOf(request) !== 'application/json') {
    const type = typeOf(request)?.slice(0, 100) ?? 'none';
    throw new ShannonDashError(
      'UNSUPPORTED',
      `Content-Type ${type} is not read here; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or http/json`,
    );
  }
  const text = bytes.toString();
  if (isDearJson(text)) throw dearJson('The body');
  try {
    // Numbers that JSON.parse cannot hold exactly are times, of which milliseconds are kept.
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ShannonDashError('INVALID', `The body is not JSON: ${(error as Error).message}`);
  }
}

async function uncompressed({ headers }: FastifyRequest, body: Buffer): Promise<Buffer> {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return body;
  if (encoding !== 'gzip') {
    const named = encoding.slice(0, 100);
    throw new ShannonDashError(
      'UNSUPPORTED',
      `Content-Encoding ${named} is not read here; set OTEL_EXPORTER_OTLP_COMPRESSION=gzip, or none`,
    );
  }
  try {
    return await unzip(body, { maxOutputLength: limits.requestBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw new ShannonDashError('INVALID', 'The body is not gzip');
    throw new ShannonDashError('TOO_LARGE', `A request must be at most ${limits.requestBytes} bytes before it is compressed`);
  }
}

function isProtobuf(request: FastifyRequest): boolean {
  return protobufTypes.some((each) => each === typeOf(request));
}

function typeOf({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}
