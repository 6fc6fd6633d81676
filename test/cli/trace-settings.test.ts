import { describe, expect, test } from 'vitest';
import { traceExportOf } from '../../src/cli/commands/serve/trace-settings.ts';
import { newPlace, runProgram, StartedProgram } from './started-program.ts';

const of = (otlp: string | undefined, environment: Record<string, string> = {}) => traceExportOf(otlp, environment, 8_000);

describe('where traces are sent', () => {
  test.each<[string | undefined, Record<string, string>, string | undefined]>([
    [undefined, {}, undefined],
    ['http://a:4318', {}, 'http://a:4318/v1/traces'],
    ['https://a/otel/', {}, 'https://a/otel/v1/traces'],
    ['http://a:4318/v1/traces', {}, 'http://a:4318/v1/traces'],
    [undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318' }, 'http://a:4318/v1/traces'],
    [undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/in' }, 'http://b/in'],
    [undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_TRACES_EXPORTER: 'none' }, undefined],
    [undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_SDK_DISABLED: 'true' }, undefined],
    ['http://c', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_SDK_DISABLED: 'true' }, 'http://c/v1/traces'],
  ])('--otlp %s with %j: %s', (otlp, environment, url) => {
    expect(of(otlp, environment)?.url).toBe(url);
  });

  test('how, and in whose name, by the variables of OpenTelemetry', () => {
    expect(of('http://a')).toMatchObject({
      headers: {},
      protocol: 'http/protobuf',
      isCompressed: false,
      timeoutMs: 10_000,
      resource: { 'service.name': 'shannon-dash' },
      hasContent: false,
    });
    const environment = {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20a%3D%3D, x-b = c=d',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=x,team=a%2Cb',
      OTEL_SERVICE_NAME: 'night',
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
    };
    expect(of('http://a', environment)).toEqual({
      url: 'http://a/v1/traces',
      headers: { authorization: 'Basic a==', 'x-b': 'c=d' },
      protocol: 'http/json',
      isCompressed: true,
      timeoutMs: 500,
      resource: { 'service.name': 'night', team: 'a,b' },
      hasContent: true,
    });
  });

  test.each<[string, Record<string, string>, string]>([
    ['http://user:key@a', {}, '--otlp must be an http(s) URL without a user'],
    ['http://localhost:8000', {}, '--otlp names this server itself'],
    ['http://a', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json'],
    ['http://a', { OTEL_EXPORTER_OTLP_HEADERS: 'secret' }, 'OTEL_EXPORTER_OTLP_HEADERS must be key=value'],
  ])('%s with %j is refused: %s', (otlp, environment, error) => {
    expect(() => of(otlp, environment)).toThrow(error);
  });
});

test('serve refuses a wrong --otlp, and starts in spite of variables that are meant for other programs', async () => {
  const refused = await runProgram(['serve', '--otlp', 'http://user:key@127.0.0.1:1', '--journal', 'memory'], newPlace());
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('a key belongs in OTEL_EXPORTER_OTLP_HEADERS')]);
  const place = newPlace({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  const server = new StartedProgram(['serve', '--port', '0', '--journal', 'memory'], place);
  await server.until(({ stdout }) => stdout.includes('next'));
  expect(server.stderr).toContain('sessions are not sent as traces: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json');
});
