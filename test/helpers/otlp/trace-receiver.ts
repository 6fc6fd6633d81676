import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { decodedRequest } from './otlp-messages.ts';

/** A span as it was received: ids in hexadecimal, times milliseconds since 1970. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  startMs: number;
  endMs: number;
  status: { code?: number; message?: string };
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
  resource: Record<string, unknown>;
}

type Answer = (request: { spans: ReceivedSpan[]; bytes: number }) => {
  status: number;
  headers?: Record<string, string>;
  body?: Uint8Array;
};

interface Value {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number;
}
type Attributes = { key: string; value: Value }[];
type Message = Record<string, unknown>;

/** A receiver of traces that decodes them by the published definitions. It can be ended, and started again at the same port. */
export class TestTraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { url: string; headers: IncomingHttpHeaders }[] = [];
  /** What it answers; those spans count that are answered 200. */
  answer: Answer = () => ({ status: 200 });
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<TestTraceReceiver> {
    const receiver = new TestTraceReceiver();
    await receiver.startAgain();
    onTestFinished(() => receiver.end());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async startAgain(): Promise<void> {
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const sent = Buffer.concat(pieces);
        const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
        const isJson = request.headers['content-type'] === 'application/json';
        const spans = spansOf(isJson ? (JSON.parse(bytes.toString()) as Message) : decodedRequest('traces', bytes), isJson);
        this.requests.push({ url: request.url ?? '', headers: request.headers });
        const { status, headers = {}, body = new Uint8Array() } = this.answer({ spans, bytes: sent.length });
        if (status === 200) this.spans.push(...spans);
        response.writeHead(status, { 'content-type': request.headers['content-type'] ?? '', ...headers }).end(body);
      });
    });
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  async end(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** The names of its spans that were received, in their order. */
  get names(): string[] {
    return this.spans.map(({ name }) => name);
  }
}

function spansOf(request: Message, isJson: boolean): ReceivedSpan[] {
  const id = (value: unknown) => {
    const text = typeof value === 'string' ? value : '';
    return isJson ? text : Buffer.from(text, 'base64').toString('hex');
  };
  return listOf(request['resourceSpans']).flatMap(({ resource, scopeSpans }) =>
    listOf(scopeSpans).flatMap(({ spans }) =>
      listOf(spans).map((span) => ({
        name: String(span['name']),
        traceId: id(span['traceId']),
        spanId: id(span['spanId']),
        parentSpanId: id(span['parentSpanId']),
        startMs: Number(span['startTimeUnixNano']) / 1e6,
        endMs: Number(span['endTimeUnixNano']) / 1e6,
        status: (span['status'] ?? {}) as ReceivedSpan['status'],
        attributes: attributesOf(span['attributes']),
        events: listOf(span['events']).map((event) => ({ name: String(event['name']), attributes: attributesOf(event['attributes']) })),
        resource: attributesOf((resource as Message | undefined)?.['attributes']),
      })),
    ),
  );
}

function listOf(value: unknown): Message[] {
  return (value ?? []) as Message[];
}

function attributesOf(value: unknown): Record<string, unknown> {
  return Object.fromEntries(
    ((value ?? []) as Attributes).map(({ key, value: { stringValue, boolValue, intValue, doubleValue } }) => [
      key,
      stringValue ?? boolValue ?? (intValue === undefined ? doubleValue : Number(intValue)),
    ]),
  );
}
