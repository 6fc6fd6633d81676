import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request that a receiver has got. */
export interface ReceivedRequest {
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** A real HTTP server that notifications go to. */
export interface NotificationReceiver {
  readonly url: string;
  readonly port: number;
  readonly requests: ReceivedRequest[];
  /** What the next requests are answered with; then all are answered 200. */
  readonly answers: { status: number; headers?: Record<string, string> }[];
  close(): Promise<void>;
}

/** Starts one. @param port 0: any free one */
export async function startReceiver(port = 0): Promise<NotificationReceiver> {
  const requests: ReceivedRequest[] = [];
  const answers: NotificationReceiver['answers'] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ path: request.url ?? '', headers: request.headers as Record<string, string>, body });
      const { status, headers } = answers.shift() ?? { status: 200 };
      response.writeHead(status, headers).end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  const address = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${address.port}`, port: address.port, requests, answers, close };
}
