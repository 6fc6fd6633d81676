import { limits } from '../../core/protocol/limits.ts';
import type { JournalEvent } from '../../journal/journal.ts';
import type { Delivery, DeliveryShape } from '../sessions/watching/delivery.ts';
import type { SessionMessage, Watcher } from '../sessions/watching/watcher.ts';
import type { PacedResponse } from './paced-response.ts';

/** Comments that keep proxies from closing an idle stream, and find readers that are gone. */
const heartbeatMs = 15_000;

/**
 * A live stream of Server-Sent Events (HTML standard, section 9.2). The id of each event is `epoch:seq`, which a
 * browser sends back as `Last-Event-ID` when it reconnects.
 */
export class SseWatcher implements Watcher {
  readonly #response: PacedResponse;
  readonly #filter: DeliveryShape['filter'];
  readonly #heartbeat: NodeJS.Timeout;
  /** The epoch of the history that is streamed. */
  epoch = '';

  constructor(response: PacedResponse, filter: DeliveryShape['filter']) {
    this.#response = response;
    this.#filter = filter;
    this.#heartbeat = setInterval(() => this.#response.write(': still here\n\n'), heartbeatMs);
    this.#heartbeat.unref();
  }

  deliver(delivery: Delivery): void {
    this.#response.write(this.#text(delivery.passing(this.#filter)), delivery.onTaken);
  }

  replay(read: () => Promise<readonly JournalEvent[]>): Promise<boolean> {
    return this.#response.paced(limits.pieceBytes, async () => this.#text(await read()));
  }

  tell(message: SessionMessage): void {
    this.#response.write(this.#messageText(message));
  }

  tellPaced(message: () => Promise<SessionMessage | undefined>): Promise<boolean> {
    return this.#response.paced(limits.requestBytes, async () => {
      const found = await message();
      return found === undefined ? '' : this.#messageText(found);
    });
  }

  drained(): Promise<void> {
    return this.#response.drained();
  }

  cut(): void {
    this.#response.drop();
  }

  close(): void {
    clearInterval(this.#heartbeat);
  }

  #text(events: readonly JournalEvent[]): string {
    return events.map((event) => `id: ${this.epoch}:${event.seq}\nevent: ${event.type}\ndata: ${event.json}\n\n`).join('');
  }

  #messageText({ name, payload }: SessionMessage): string {
    if (name === 'session:state') this.epoch = payload.epoch;
    const id = name === 'session:state' ? `id: ${payload.epoch}:${payload.seq}\n` : '';
    return `${id}event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`;
  }
}
