import { graceMs } from '../../view/decision-prompt.ts';
import type { UiState } from '../ui-state.ts';
import type { Screen } from '../screen/screen.ts';

/** Which session the overview has selected: the one that the keys moved to, otherwise the first of the list. */
export class OverviewSelection {
  readonly #ui: () => UiState;
  #shown: { id: string | undefined; atMs: number } = { id: undefined, atMs: 0 };

  /** @param ui what the keys have made of the screen by now */
  constructor(ui: () => UiState) {
    this.#ui = ui;
  }

  /** The session selected on this screen. */
  on(screen: Screen | undefined): string | undefined {
    const { key } = this.#ui().cursors.overview;
    const sessions = screen?.lists.overview?.keys ?? [];
    return key !== null && sessions.includes(key) ? key : sessions[0];
  }

  /** Takes note of what a frame shows. */
  see(screen: Screen, nowMs: number): void {
    const id = this.on(screen);
    if (id !== this.#shown.id) this.#shown = { id, atMs: nowMs };
  }

  /** Whether another session has come under the selection by itself so lately that a key was meant for the former. */
  hasJustMoved(nowMs: number): boolean {
    return this.#shown.id !== this.#ui().cursors.overview.key && nowMs - this.#shown.atMs < graceMs;
  }
}
