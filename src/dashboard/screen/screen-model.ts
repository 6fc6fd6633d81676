import type { Candidate } from '../keys/typing/candidates.ts';
import type { ViewModel } from '../../view/view-model.ts';
import type { UiState } from '../ui-state.ts';

/** Everything that a frame is made from: the same model gives the same screen. */
export interface ScreenModel extends ViewModel {
  columns: number;
  rows: number;
  ui: UiState;
  /** The events of each of the last seconds, the latest last. */
  lastSeconds: readonly number[];
  /** The tokens of each of the last steps of ten seconds, the latest last. */
  lastTokens: readonly number[];
  /** Events of the session on screen before the first one of the log. */
  earlier: number;
  /** What can stand at the end of the command line that is typed. */
  candidates: readonly Candidate[];
}
