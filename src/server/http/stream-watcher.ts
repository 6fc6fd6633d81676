import type { ServerResponse } from 'node:http';
import { limits } from '../../core/limits.ts';
import type { JournalEvent } from '../../journal/journal.ts';
import type { Delivery, DeliveryShape } from '../delivery.ts';
import type { SessionMessage, Watcher } from '../hub.ts';

/** Comments that keep proxies from closing an idle stream, and find readers that are gone. */
const heartbeatMs = 15_000;

/**
 * A live stream of Server-Sent Events (HTML standard, section 9.2). The id of each event is `epoch:seq`, which a
 * browser sends back as `Last-Event-ID` when it reconnects.
 */
export class SseWatcher implements Watcher {
  readonly #response: ServerResponse;
  readonly #filter: DeliveryShape['filter'];
  readonly #heartbeat: NodeJS.Timeout;
  readonly #onCut: () => void;
  /** The epoch of the history that is streamed. */
  epoch: string;

  constructor(response: ServerResponse, options: { epoch: string; filter: DeliveryShape['filter']; onCut: () => void }) {
    this.#response = response;
    this.#filter = options.filter;
    this.#onCut = options.onCut;
    this.epoch = options.epoch;
    this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), heartbeatMs);
    this.#heartbeat.unref();
  }

  deliver(delivery: Delivery): void {
    this.#write(this.#text(delivery.events.filter((event) => this.#filter(event.type))));
  }

  async replay(events: readonly JournalEvent[]): Promise<void> {
    this.#write(this.#text(events));
    if (!this.#response.writableNeedDrain || this.#response.closed) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        this.#response.off('drain', settle).off('close', settle);
        resolve();
      };
      this.#response.on('drain', settle).on('close', settle);
    });
  }

  tell({ name, payload }: SessionMessage): void {
    if (name === 'session:state') this.epoch = payload.epoch;
    const id = name === 'session:state' ? `id: ${payload.epoch}:${payload.seq}\n` : '';
    this.#write(`${id}event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`);
  }

  cut(): void {
    this.#response.destroy();
  }

  close(): void {
    clearInterval(this.#heartbeat);
  }

  #text(events: readonly JournalEvent[]): string {
    return events.map((event) => `id: ${this.epoch}:${event.seq}\nevent: ${event.type}\ndata: ${event.json}\n\n`).join('');
  }

  #write(text: string): void {
    if (text === '' || this.#response.closed || this.#response.destroyed) return;
    if (this.#response.writableLength > limits.backlogBytes) {
      this.#onCut();
      this.cut();
      return;
    }
    this.#response.write(text);
  }
}
