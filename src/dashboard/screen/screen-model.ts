import type { ViewModel } from '../../view/view-model.ts';
import type { UiState } from '../ui-state.ts';

/** Everything that a frame is made from: the same model gives the same screen. */
export interface ScreenModel extends ViewModel {
  columns: number;
  rows: number;
  ui: UiState;
}
