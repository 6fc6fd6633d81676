import { onTestFinished } from 'vitest';

/** One message of a stream of Server-Sent Events. */
export interface SseMessage {
  id?: string;
  event?: string;
  data: Record<string, unknown>;
}

/** Reads Server-Sent Events with fetch. */
export class SseReader {
  readonly messages: SseMessage[] = [];
  isEnded = false;
  readonly status: number;
  readonly headers: Headers;
  readonly #abort: AbortController;
  #look: () => void = () => undefined;

  constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#abort = abort;
    void this.#read(response.body ?? new ReadableStream());
  }

  /** The events of the session, without the messages about it. */
  get events(): SseMessage[] {
    return this.messages.filter((message) => message.event?.startsWith('session:') === false);
  }

  until(what: string, holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}; read ${this.messages.length} messages`)), 10_000);
      this.#look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#look();
    });
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = '';
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
        this.#look();
      }
    } catch {
      // Aborted here, or cut there: the end either way.
    }
    this.isEnded = true;
    this.#look();
  }

  #take(block: string): void {
    if (block.startsWith(':')) return;
    const fields = Object.fromEntries(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    const { data = 'null', ...rest } = fields;
    this.messages.push({ ...rest, data: JSON.parse(data) as Record<string, unknown> });
  }
}

/** Opens a stream; it is closed when the test ends. */
export async function openSse(url: string, headers: Record<string, string> = {}): Promise<SseReader> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: abort.signal });
  const reader = new SseReader(response, abort);
  onTestFinished(() => reader.close());
  return reader;
}
