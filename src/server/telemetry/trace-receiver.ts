import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { encodeSpans, rejectedSpans, type OtlpProtocol } from '../../adapters/otel/encode-spans.ts';
import type { SpanAttributes, TracedSpan } from '../../adapters/otel/traced-span.ts';
import { version } from '../../executable/own-program.ts';

const zip = promisify(gzip);

/** Where spans are sent, and how. */
export interface TraceReceiverOptions {
  /** The whole URL, with /v1/traces at its end. */
  url: string;
  headers: Readonly<Record<string, string>>;
  protocol: OtlpProtocol;
  isCompressed: boolean;
  resource: SpanAttributes;
  /** How long one request may take. */
  timeoutMs: number;
}

/**
 * What came of a request. `later`: the same can be sent again, where `afterMs` is given not before that. `smaller`: it was too large.
 * `never`: the receiver does not take this.
 */
export type Sent =
  | { kind: 'taken'; rejected: { count: number; reason: string } | undefined }
  | { kind: 'later'; reason: string; afterMs: number | undefined }
  | { kind: 'smaller' | 'never'; reason: string };

/** So much of an answer is read. */
const answerBytes = 64 * 1_024;

/** A receiver of OTLP over HTTP. */
export class TraceReceiver {
  readonly #options: TraceReceiverOptions;

  constructor(options: TraceReceiverOptions) {
    this.#options = options;
  }

  /** Sends spans once. It does not throw. */
  async send(spans: readonly TracedSpan[], signal: AbortSignal): Promise<Sent> {
    const { url, headers, protocol, isCompressed, resource, timeoutMs } = this.#options;
    const { type, body } = encodeSpans(spans, { protocol, resource, version });
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'user-agent': `shannon-dash/${version}`,
          'content-type': type,
          ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
          ...headers,
        },
        body: isCompressed ? new Uint8Array(await zip(body)) : body,
        // The headers hold a key, which belongs to this host.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const answer = await startOf(response);
      return response.ok ? { kind: 'taken', rejected: rejectedSpans(answer, response.headers.get('content-type')) } : refusal(response);
    } catch (error) {
      return { kind: 'later', reason: reasonOf(error), afterMs: undefined };
    }
  }
}

/** A wrong address or key is put right by a person, and what was not sent meanwhile is sent then. */
function refusal({ status, headers }: Response): Sent {
  const reason = `it answers ${status}`;
  if (status === 413) return { kind: 'smaller', reason };
  if (status === 400 || status === 422) return { kind: 'never', reason };
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return { kind: 'later', reason, afterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined };
}

async function startOf({ body }: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  if (body === null) return new Uint8Array();
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > answerBytes) return new Uint8Array();
  }
  return Buffer.concat(pieces);
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
