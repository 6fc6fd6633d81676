import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Scene } from './scene.ts';

interface Answer {
  id?: number;
  method?: string;
  params?: { chunk?: string };
  result?: { result?: { value?: unknown } };
}

/** Node's inspector in another process. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #id = 0;
  #onChunk: (chunk: string) => void = () => undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.method === 'HeapProfiler.addHeapSnapshotChunk') this.#onChunk(answer.params?.chunk ?? '');
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  static async connect(url: string, scene: Scene): Promise<Inspector> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    scene.onEnd(() => socket.close());
    return new Inspector(socket);
  }

  async evaluate(expression: string): Promise<unknown> {
    return (await this.#ask('Runtime.evaluate', { expression, returnByValue: true })).result?.result?.value;
  }

  /** Bytes in use after all garbage is collected. */
  async heapBytes(): Promise<number> {
    await this.#ask('HeapProfiler.enable');
    // Twice: what finalizers let go at the first is gone after the second.
    for (let times = 0; times < 2; times++) await this.#ask('HeapProfiler.collectGarbage');
    return Number(await this.evaluate('process.memoryUsage().heapUsed'));
  }

  async writeHeapSnapshot(path: string): Promise<void> {
    const file = createWriteStream(path);
    this.#onChunk = (chunk) => file.write(chunk);
    await this.#ask('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    file.end();
    await once(file, 'finish');
  }

  #ask(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#id;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answered.finally(() => this.#waiting.delete(id));
  }
}
