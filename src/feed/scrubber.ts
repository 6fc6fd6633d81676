import type { CheckpointState, SessionState } from '../core/protocol/session-state.ts';
import { LogBuffer } from '../view/log/log-buffer.ts';
import { HistoryPages, readEvents, type HistoryServer } from './history-pages.ts';

/** How many events come with a moment. */
const logEvents = 300;

/** A moment of the past on screen instead of now. */
export interface HistoryView {
  readonly seq: number;
  /** Undefined until it has come. */
  readonly state: SessionState | undefined;
}

/**
 * Moves through a session's history. Only one question is under way at a time; keys pressed meanwhile change where the
 * next one goes, so that holding a key down asks for the place where it is released.
 */
export class Scrubber {
  view: HistoryView | undefined;
  /** The events up to that moment: the last ones, and those that somebody has scrolled to. */
  log = new LogBuffer();
  pages: HistoryPages;
  readonly #server: HistoryServer;
  readonly #onChange: (error?: unknown) => void;
  readonly #keepsLog: boolean;
  #isAsking = false;

  /** @param options keepsLog: whether the events up to a moment come with it */
  constructor(server: HistoryServer, onChange: (error?: unknown) => void, { keepsLog = true } = {}) {
    this.#server = server;
    this.#keepsLog = keepsLog;
    this.#onChange = onChange;
    this.pages = new HistoryPages(server, this.log, onChange);
  }

  /** Shows the session as it was after this event. */
  go(sessionId: string, seq: number): void {
    this.view = { seq, state: this.view?.state };
    if (!this.#isAsking) void this.#ask(sessionId);
  }

  leave(): void {
    this.view = undefined;
  }

  async #ask(sessionId: string): Promise<void> {
    this.#isAsking = true;
    try {
      while (this.view !== undefined && this.view.state?.seq !== this.view.seq) {
        const { seq } = this.view;
        const from = Math.max(1, seq - logEvents + 1);
        const [state, events] = await Promise.all([
          this.#server.read('session', { path: { id: sessionId }, query: { at: seq } }),
          this.#keepsLog ? readEvents(this.#server, sessionId, { from, to: seq }) : [],
        ]);
        if (this.view === undefined) return;
        // The fold answers with the seq that it has: it must not be asked for again and again.
        this.view = { seq: this.view.seq, state: { ...state, seq } };
        if (this.#keepsLog) {
          this.log = new LogBuffer(() => state);
          this.log.setPast(sessionId, events, { from, to: seq });
          this.pages = new HistoryPages(this.#server, this.log, this.#onChange);
        }
        this.#onChange();
        // The moment is there without what came before it.
        if (this.#keepsLog && this.view.seq === seq) await this.pages.fill(sessionId).catch(() => undefined);
      }
    } catch (error) {
      this.leave();
      this.#onChange(error);
    } finally {
      this.#isAsking = false;
    }
  }
}

/** The seq of the checkpoint before or after a place, as far as the state knows them. */
export function checkpointFrom(checkpoints: readonly CheckpointState[], seq: number, direction: -1 | 1): number | undefined {
  return direction === -1
    ? checkpoints.findLast((checkpoint) => checkpoint.seq < seq)?.seq
    : checkpoints.find((checkpoint) => checkpoint.seq > seq)?.seq;
}
