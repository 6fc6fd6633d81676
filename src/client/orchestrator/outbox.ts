import { errorRow, ShannonDashError } from '../../core/protocol/errors.ts';
import { parseEventInput } from '../../core/protocol/event.ts';
import { fieldPath } from '../../core/json/field-path.ts';
import { newId } from '../../core/ids.ts';
import { nonFinitePath } from '../../core/json/json.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { PublishedMessage } from '../../core/protocol/messages.ts';
import { waitMsAfter } from '../connection/backoff.ts';
import { asShannonDashError, isRetryable } from '../connection/connect-failure.ts';
import { Listeners } from '../connection/listeners.ts';

/** Where an event stands once it is journalled. */
export interface Published {
  epoch: string;
  seq: number;
}

/** An event as it is sent, and sent again, until it is acknowledged: always with the same id, so that it is journalled once. */
export interface OutgoingEvent {
  type: string;
  data: Record<string, unknown>;
  id: string;
  timestamp: string;
}

export interface PublishOptions {
  /** The event's own id (default: a random one). The same id again is the same event. */
  id?: string | undefined;
  /** ISO 8601 (default: now). */
  timestamp?: string | number | undefined;
  /** What to do when too much waits already: `reject` with LIMIT_REACHED (default), or `wait` for room. */
  whenFull?: 'reject' | 'wait' | undefined;
}

/** An error that no caller waits for: an event was refused, or the server cannot take events now. */
export interface Problem {
  error: ShannonDashError;
  event?: OutgoingEvent;
}

export interface OutboxOptions {
  /** Sends a batch; resolves once it is journalled. */
  send: (events: OutgoingEvent[]) => Promise<PublishedMessage>;
  /** Events that may wait (default 10,000). */
  maxEvents?: number | undefined;
  /** Characters of JSON that may wait (default 16 Mi). */
  maxChars?: number | undefined;
}

interface Entry {
  event: OutgoingEvent;
  chars: number;
  resolve: (published: Published) => void;
  reject: (error: ShannonDashError) => void;
}

/** Characters of JSON in one batch; at 3 bytes each still below what the server takes in one request. */
const batchChars = 1024 * 1024;

/** Events on their way to the journal: in order, one batch at a time, kept until acknowledged, bounded. */
export class Outbox {
  readonly problems = new Listeners<Problem>();
  readonly #options: OutboxOptions;
  /** Batches that were sent, or split, and not acknowledged; they go first and unchanged. */
  readonly #batches: Entry[][] = [];
  readonly #room: (() => void)[] = [];
  readonly #empty: (() => void)[] = [];
  #entries: Entry[] = [];
  #pending = 0;
  #journalled = 0;
  #chars = 0;
  #isOpen = false;
  #isSending = false;
  #end: ShannonDashError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Events that are not acknowledged yet. */
  get pending(): number {
    return this.#pending;
  }

  /** How many events were acknowledged. */
  get journalled(): number {
    return this.#journalled;
  }

  /**
   * Takes an event; resolves once it is journalled. A rejection that the caller does not await goes to `problems` only.
   * @throws ShannonDashError INVALID (before anything is sent), LIMIT_REACHED, CONFLICT, SUPERSEDED ...
   */
  publish(type: string, data: unknown, { id, timestamp, whenFull = 'reject' }: PublishOptions = {}): Promise<Published> {
    const event = { type, data, id: id ?? newId(), timestamp: timestamp ?? new Date().toISOString() };
    const published = this.#accept(event as OutgoingEvent, whenFull);
    published.catch((error: unknown) => this.problems.tell({ error: asShannonDashError(error), event: event as OutgoingEvent }));
    return published;
  }

  /** From now on batches may be sent. */
  open(): void {
    this.#isOpen = true;
    this.#wake?.();
    void this.#sendAll();
  }

  /** Until `open`, nothing is sent. */
  pause(): void {
    this.#isOpen = false;
  }

  /** Resolves when everything is acknowledged or refused. @throws ShannonDashError TIMEOUT */
  async flush(timeoutMs: number): Promise<void> {
    if (this.#pending === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new ShannonDashError('TIMEOUT', `${this.#pending} events were not journalled in ${timeoutMs} ms`)),
        timeoutMs,
      );
    });
    await Promise.race([new Promise<void>((resolve) => this.#empty.push(resolve)), late]).finally(() => clearTimeout(timer));
  }

  /** Rejects what waits and what comes. */
  end(error: ShannonDashError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#isOpen = false;
    this.#wake?.();
    for (const entry of [...this.#batches.splice(0).flat(), ...this.#entries.splice(0)]) this.#settle(entry, () => entry.reject(error));
    for (const resolve of this.#room.splice(0)) resolve();
  }

  async #accept(event: OutgoingEvent, whenFull: 'reject' | 'wait'): Promise<Published> {
    if (this.#end !== undefined) throw this.#end;
    // A copy: what the caller changes later must not make the second sending another event than the first.
    const json = toJson(event);
    const copy = JSON.parse(json) as OutgoingEvent;
    parseEventInput(copy, event.type);
    const { maxEvents = 10_000, maxChars = 16 * 1024 * 1024 } = this.#options;
    while (this.#pending > 0 && (this.#pending >= maxEvents || this.#chars + json.length > maxChars)) {
      if (whenFull === 'reject') {
        throw new ShannonDashError('LIMIT_REACHED', `${this.#pending} events wait to be journalled already; the server is away or slow`);
      }
      await new Promise<void>((resolve) => this.#room.push(resolve));
      if (this.#end !== undefined) throw this.#end;
    }
    return new Promise((resolve, reject) => {
      this.#entries.push({ event: copy, chars: json.length, resolve, reject });
      this.#pending++;
      this.#chars += json.length;
      void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    // What is published in one turn of the event loop goes together.
    await Promise.resolve();
    for (let attempt = 0; this.#isOpen;) {
      const batch = this.#nextBatch();
      if (batch === undefined) break;
      try {
        await this.#sendBatch(batch);
        attempt = 0;
      } catch (error) {
        if (this.#refused(batch, asShannonDashError(error))) attempt = 0;
        else await this.#pauseFor(waitMsAfter(error, ++attempt));
      }
    }
    this.#isSending = false;
  }

  #nextBatch(): Entry[] | undefined {
    if (this.#batches[0] !== undefined || this.#entries.length === 0) return this.#batches[0];
    let chars = 0;
    let count = 0;
    for (const entry of this.#entries) {
      chars += entry.chars;
      if (count > 0 && (count === limits.publishEvents || chars > batchChars)) break;
      count++;
    }
    const batch = this.#entries.splice(0, count);
    this.#batches.push(batch);
    return batch;
  }

  async #sendBatch(batch: Entry[]): Promise<void> {
    const { epoch, first_seq, last_seq } = await this.#options.send(batch.map((entry) => entry.event));
    if (this.#batches[0] !== batch) return;
    if (last_seq - first_seq !== batch.length - 1) {
      // Some were journalled before, under their own ids: asked for one by one, each tells its place.
      this.#batches.splice(0, 1, ...batch.map((entry) => [entry]));
      return;
    }
    this.#batches.shift();
    this.#journalled += batch.length;
    for (const [index, entry] of batch.entries()) this.#settle(entry, () => entry.resolve({ epoch, seq: first_seq + index }));
  }

  /** Deals with a refusal. False when the same batch is to be sent again after a while. */
  #refused(batch: Entry[], error: ShannonDashError): boolean {
    if (this.#batches[0] !== batch) return true;
    if (error.code === 'SUPERSEDED') {
      this.end(error);
      return true;
    }
    if (isRetryable(error)) {
      if (error.code !== 'UNREACHABLE') this.problems.tell({ error });
      return false;
    }
    this.#batches.shift();
    if (batch.length === 1 || errorRow(error.code)?.isPersonal === true) {
      for (const entry of batch) this.#settle(entry, () => entry.reject(error));
    } else {
      // One of them is guilty: halving finds it, and the others keep their order.
      const half = batch.length >> 1;
      this.#batches.unshift(batch.slice(0, half), batch.slice(half));
    }
    return true;
  }

  #settle(entry: Entry, end: () => void): void {
    this.#pending--;
    this.#chars -= entry.chars;
    end();
    for (const resolve of this.#room.splice(0)) resolve();
    if (this.#pending === 0) for (const resolve of this.#empty.splice(0)) resolve();
  }

  async #pauseFor(ms: number): Promise<void> {
    if (!this.#isOpen) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** @throws ShannonDashError INVALID, TOO_LARGE */
function toJson(event: OutgoingEvent): string {
  let json: string;
  try {
    json = JSON.stringify(event);
  } catch (error) {
    throw new ShannonDashError('INVALID', `${event.type}: data is not JSON: ${(error as Error).message}`, undefined, { cause: error });
  }
  // JSON has no Infinity and no NaN, and writes `null` for them.
  const path = json.includes('null') ? nonFinitePath(event.data) : undefined;
  if (path !== undefined)
    throw new ShannonDashError('INVALID', `${fieldPath(`${event.type}: data`, path)} must be a finite number, or a text`);
  if (json.length > limits.eventBytes)
    throw new ShannonDashError('TOO_LARGE', `${event.type}: an event must be at most ${limits.eventBytes} bytes`);
  return json;
}
