import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** What an agent's hook said, and when, in milliseconds since the recorder began. */
export interface Recorded {
  at: number;
  payload: Record<string, unknown>;
}

/** What is said to a hook: an HTTP status, a body, and how long it is held first. */
export interface HookAnswer {
  status?: number;
  body?: unknown;
  holdMs?: number;
}

type Answering = (payload: Record<string, unknown>, recorder: HookRecorder) => HookAnswer | undefined;

/** Hears an agent's hooks and answers them as a trial wants. */
export class HookRecorder {
  readonly recorded: Recorded[] = [];
  readonly #begun = performance.now();
  readonly #server;

  private constructor(answer: Answering) {
    this.#server = createServer((request, response) => {
      void (async () => {
        const payload = JSON.parse(await text(request)) as Record<string, unknown>;
        this.recorded.push({ at: performance.now() - this.#begun, payload });
        const { status = 200, body, holdMs = 0 } = answer(payload, this) ?? {};
        await delay(holdMs);
        response.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? '' : JSON.stringify(body));
      })();
    });
  }

  static async start(answer: Answering = () => undefined): Promise<HookRecorder> {
    const recorder = new HookRecorder(answer);
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve));
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
