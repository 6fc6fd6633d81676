import { Listeners } from './listeners.ts';

/** Whether the server can be asked: `attached`; `away`, which may pass; `alone`, away for so long that the program goes on. */
export type ReachState = 'attached' | 'away' | 'alone';

/** How an orchestrator stands to its server over time. */
export class Reach {
  readonly changes = new Listeners<ReachState>();
  readonly #aloneAfterMs: number | undefined;
  #state: ReachState = 'attached';
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param aloneAfterMs how long to be `away` before `alone`; undefined: it never gives up */
  constructor(aloneAfterMs: number | undefined) {
    this.#aloneAfterMs = aloneAfterMs;
    this.lost();
  }

  get state(): ReachState {
    return this.#state;
  }

  /** Resolves once it is known whether there is a server: attached, or away for so long that the program goes on alone. */
  get decided(): Promise<void> {
    return new Promise((resolve) => {
      const off = this.changes.add((state) => {
        if (state === 'away') return;
        off();
        resolve();
      });
    });
  }

  attached(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#change('attached');
  }

  lost(): void {
    if (this.#state !== 'attached') return;
    this.#change('away');
    if (this.#aloneAfterMs !== undefined) this.#timer = setTimeout(() => this.#change('alone'), this.#aloneAfterMs);
  }

  /** No more waiting for a server: from now on the program decides for itself. */
  end(): void {
    clearTimeout(this.#timer);
    this.#change('alone');
  }

  #change(state: ReachState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.changes.tell(state);
  }
}
