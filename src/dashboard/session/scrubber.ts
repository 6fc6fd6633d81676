import type { Connection } from '../../client/connection/connection.ts';
import type { CheckpointState } from '../../core/protocol/session-state.ts';
import { logLines } from '../../view/log-buffer.ts';
import type { HistoryView } from '../ui-state.ts';

const logEvents = 300;

/**
 * Moves through a session's history. Only one question is under way at a time; keys pressed meanwhile change where the
 * next one goes, so that holding a key down asks for the place where it is released.
 */
export class Scrubber {
  view: HistoryView | undefined;
  readonly #server: Pick<Connection, 'read'>;
  readonly #onChange: (error?: unknown) => void;
  #isAsking = false;

  constructor(server: Pick<Connection, 'read'>, onChange: (error?: unknown) => void) {
    this.#server = server;
    this.#onChange = onChange;
  }

  /** Shows the session as it was after this event. */
  go(sessionId: string, seq: number): void {
    this.view = { seq, state: this.view?.state, lines: this.view?.lines ?? [] };
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
        const path = { id: sessionId };
        const [state, { events }] = await Promise.all([
          this.#server.read('session', { path, query: { at: seq } }),
          this.#server.read('history', { path, query: { after: Math.max(0, seq - logEvents), limit: logEvents } }),
        ]);
        const lines = events.filter((event) => event.seq <= seq).flatMap((event) => logLines(event, event.seq));
        // The fold answers with the seq that it has: it must not be asked for again and again.
        if (this.view !== undefined) this.view = { seq: this.view.seq, state: { ...state, seq }, lines };
        this.#onChange();
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
