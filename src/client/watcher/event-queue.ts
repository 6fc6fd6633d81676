import type { SessionEvent } from '../../core/protocol/event.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';

/** How many events wait at most for a loop that runs, and for one that may yet begin. */
const takenLimit = 10_000;
const idleLimit = 1_000;
/** About how many characters of JSON those may be. */
const takenChars = 32 * 1024 * 1024;
const idleChars = 4 * 1024 * 1024;

/** Events on their way to one `for await`. Bounded: the watcher that fills it learns when it is full, and when half of it is free again. */
export class EventQueue implements AsyncIterator<SessionEvent> {
  readonly #onRoom: () => void;
  #events: SessionEvent[] = [];
  #head = 0;
  /** About the characters of all that wait. */
  #chars = 0;
  #isTaken = false;
  #isFull = false;
  #end: { error?: Error | undefined } | undefined;
  readonly #waiting: { resolve: (result: IteratorResult<SessionEvent>) => void; reject: (error: Error) => void }[] = [];

  /** @param onRoom called once each time that a full queue was consumed down to half */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  get size(): number {
    return this.#events.length - this.#head;
  }

  /** Whether a loop takes the events. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** False when it is full: neither this event nor a later one is taken until there is room. */
  push(event: SessionEvent): boolean {
    const [mostEvents, mostChars] = this.#isTaken ? [takenLimit, takenChars] : [idleLimit, idleChars];
    // A single event is taken, whatever its size.
    if (this.size >= mostEvents || this.#chars >= mostChars) this.#isFull = true;
    if (this.#isFull) return false;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#events.push(event);
      this.#chars += roughChars(event.data);
    } else waiting.resolve({ done: false, value: event });
    return true;
  }

  /** Lets go of everything that waits. */
  clear(): void {
    this.#events = [];
    this.#head = 0;
    this.#chars = 0;
    this.#isFull = false;
  }

  /** Ends the iteration once what waits is consumed. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (error === undefined) resolve({ done: true, value: undefined });
      else reject(error);
    }
  }

  /** @throws ShannonDashError CONFLICT while another loop runs */
  take(): AsyncIterator<SessionEvent> {
    if (this.#isTaken) throw new ShannonDashError('CONFLICT', 'This watcher is being iterated already: connect one watcher per loop');
    this.#isTaken = true;
    return this;
  }

  next(): Promise<IteratorResult<SessionEvent>> {
    const event = this.#events[this.#head];
    if (event === undefined) {
      if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
      if (this.#end !== undefined) return Promise.resolve({ done: true, value: undefined });
      return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    }
    this.#head++;
    this.#chars = this.size === 0 ? 0 : this.#chars - roughChars(event.data);
    if (this.#head >= 1_024 || this.size === 0) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    if (this.#isFull && this.size <= takenLimit / 2 && this.#chars <= takenChars / 2) {
      this.#isFull = false;
      this.#onRoom();
    }
    return Promise.resolve({ done: false, value: event });
  }

  /** A loop that was left; the next one goes on where it stopped. */
  return(): Promise<IteratorResult<SessionEvent>> {
    this.#isTaken = false;
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** About how many characters of JSON a value is: enough to bound what waits, and cheaper than making them. */
function roughChars(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 4;
  let chars = 16;
  if (Array.isArray(value)) for (const each of value) chars += roughChars(each);
  else for (const key in value) chars += key.length + roughChars((value as Record<string, unknown>)[key]);
  return chars;
}
