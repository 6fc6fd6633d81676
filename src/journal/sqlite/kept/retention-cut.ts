import { setTimeout as pause } from 'node:timers/promises';
import type { Snapshot } from '../../journal.ts';
import type { NewestEvents } from '../newest-events.ts';
import type { KeptParts } from './kept-parts.ts';
import { pack } from './packed-state.ts';

/** Between two steps others have the event loop for so long. */
const pauseMs = 5;
const heldPauseMs = 200;

/** Takes the events of sessions away, one session after the other, in small steps. */
export class RetentionCut {
  readonly #parts: KeptParts;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(parts: KeptParts) {
    this.#parts = parts;
  }

  /** From here on the history begins behind `base`. @returns whether that is new */
  async begin(session: NewestEvents, base: Snapshot): Promise<boolean> {
    const { database, writes, isThere, guarded } = this.#parts;
    const packed = await pack(base);
    if (!isThere(session) || base.seq <= (session.head.cut ?? 0) || base.seq > session.head.seq) return false;
    guarded(() => {
      writes.moveThrough(session, base.seq);
      database.saveBase(session, base, packed);
      session.head = { ...session.head, cut: base.seq };
    });
    return true;
  }

  /**
   * Deletes what lies before the cuts of these sessions, and gives the room that is free to the disk. What a sudden end leaves of it is
   * done by the next server.
   */
  sweep(sessions: readonly NewestEvents[]): Promise<void> {
    const { database, isThere } = this.#parts;
    return this.#swept(async () => {
      for (const session of sessions) await this.#whileMore(() => isThere(session) && database.sweep(session));
    });
  }

  /** Deletes what imports have left that did not come to their end. @param keys their numbers */
  sweepImports(keys: readonly number[]): Promise<void> {
    const { database, isOpen } = this.#parts;
    return this.#swept(async () => {
      for (const key of keys) await this.#whileMore(() => isOpen() && database.imports.sweep(key));
    });
  }

  #swept(work: () => Promise<void>): Promise<void> {
    const swept = this.#sweeping.then(async () => {
      const { database, isOpen } = this.#parts;
      await work();
      await this.#whileMore(() => isOpen() && database.pages.giveBack());
    });
    this.#sweeping = swept.catch(() => undefined);
    return swept;
  }

  async #whileMore(step: () => boolean): Promise<void> {
    const { database, isOpen, guarded } = this.#parts;
    // A backup that is being written would have to wait for all of it to be written twice.
    while (isOpen() && (database.pages.isFileHeld || guarded(step))) await pause(database.pages.isFileHeld ? heldPauseMs : pauseMs);
  }
}
