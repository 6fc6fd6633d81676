import type { SessionState } from '../../core/protocol/session-state.ts';
import type { DecisionPrompt, PromptChange } from '../../view/decision-prompt.ts';
import type { ListCursor } from '../rows/list-cursor.ts';
import type { LogLine } from '../../view/log-buffer.ts';
import type { DetailField, PanelId } from '../../view/panels/panel.ts';
import type { Tone } from '../../view/cells.ts';
import type { ViewModel } from '../../view/view-model.ts';

/** What lies over the panels. */
export type Overlay =
  | { kind: 'help'; top: number }
  | { kind: 'detail'; title: string; fields: readonly DetailField[]; top: number }
  | RollbackDialog;

/** The dialog of `B`: what would be undone, as the orchestrator's dry run says. Never confirmed before that is on screen. */
export interface RollbackDialog {
  kind: 'rollback';
  sessionId: string;
  stage: 'asking' | 'ready' | 'refused' | 'sending';
  /** The preview's lines, or why there is none; clean. */
  lines: readonly string[];
  /** What `y` sends: the very thing of the preview, not what a step back means by then. */
  target: { checkpoint_id: string } | { steps: number };
  /** The seq of the newest checkpoint at the time of the preview: with a newer one it tells of something else. */
  checkpointSeq: number;
  /** How far it is scrolled. */
  top: number;
}

/** A moment of the past on screen instead of now. */
export interface HistoryView {
  seq: number;
  /** Undefined until it has come. */
  state: SessionState | undefined;
  lines: readonly LogLine[];
}

/** A sentence at the foot of the screen for some seconds. */
interface Notice {
  text: string;
  tone: Tone;
  untilMs: number;
}

/** What the person at the keys has made of the screen. */
export interface UiState {
  /** The session on screen; undefined: the overview of all. */
  sessionId: string | undefined;
  /** Whether Esc leads back to the overview. */
  hasOverview: boolean;
  focus: PanelId;
  /** Whether a key was pressed in this session: until then the focus is where there is most to see. */
  hasChosenFocus: boolean;
  isZoomed: boolean;
  follow: boolean;
  cursors: Record<PanelId | 'overview', ListCursor>;
  overlay: Overlay | undefined;
  prompt: DecisionPrompt | undefined;
  /** The last change of a prompt or dialog that its user has not made. */
  promptChange: PromptChange | undefined;
  filter: string;
  /** The filter as it is being typed; undefined: nobody types. */
  filterInput: string | undefined;
  history: HistoryView | undefined;
  notice: Notice | undefined;
}

/** Everything that a frame is made from: the same model gives the same screen. */
export interface ScreenModel extends ViewModel {
  columns: number;
  rows: number;
  ui: UiState;
}
