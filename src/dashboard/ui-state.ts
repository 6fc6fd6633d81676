import type { SessionState } from '../core/protocol/session-state.ts';
import type { Tone } from '../view/cells.ts';
import type { DecisionPrompt, PromptChange } from '../view/decision-prompt.ts';
import type { LogLine } from '../view/log-buffer.ts';
import type { DetailField, PanelId } from '../view/panels/panel.ts';
import type { Timestamps } from '../view/style.ts';
import { atTop, type ListCursor } from './rows/list-cursor.ts';

/** What lies over the panels. */
export type Overlay =
  | { readonly kind: 'help' }
  | { readonly kind: 'detail'; readonly title: string; readonly fields: readonly DetailField[] }
  | RollbackDialog;

/** The dialog of `B`: what would be undone, as the orchestrator's dry run says. It can be confirmed only once that is on screen. */
export interface RollbackDialog {
  readonly kind: 'rollback';
  readonly sessionId: string;
  readonly stage: 'asking' | 'ready' | 'refused' | 'sending';
  /** The preview's lines, or why there is none; clean. */
  readonly lines: readonly string[];
  /** What `y` sends: the checkpoint that the preview named, and not one step back from wherever the session is by then. */
  readonly target: { checkpoint_id: string } | { steps: number };
  /** The seq of the newest checkpoint at the time of the preview: after a newer one the preview is outdated. */
  readonly checkpointSeq: number;
}

/** A moment of the past on screen instead of now. */
export interface HistoryView {
  readonly seq: number;
  /** Undefined until it has come. */
  readonly state: SessionState | undefined;
  readonly lines: readonly LogLine[];
}

/** A sentence at the foot of the screen for some seconds. */
interface Notice {
  readonly text: string;
  readonly tone: Tone;
  readonly untilMs: number;
}

/** What the person at the keys has made of the screen. Only `Dashboard.change` puts another one in its place. */
export interface UiState {
  /** The session on screen; undefined: the overview of all. */
  readonly sessionId: string | undefined;
  /** Whether Esc leads back to the overview. */
  readonly hasOverview: boolean;
  readonly focus: PanelId;
  /** Whether a key was pressed in this session: until then the focus is where there is most to see. */
  readonly hasChosenFocus: boolean;
  readonly isZoomed: boolean;
  readonly follow: boolean;
  readonly cursors: Readonly<Record<PanelId | 'overview', ListCursor>>;
  readonly overlay: Overlay | undefined;
  /** How far the overlay is scrolled. */
  readonly overlayTop: number;
  readonly prompt: DecisionPrompt | undefined;
  /** The last change of a prompt or dialog that its user has not made. */
  readonly promptChange: PromptChange | undefined;
  readonly filter: string;
  /** The filter while the person types it; undefined at other times. */
  readonly filterInput: string | undefined;
  readonly history: HistoryView | undefined;
  readonly timestamps: Timestamps;
  readonly notice: Notice | undefined;
}

/** No item of any panel is selected yet. */
export const panelCursors: Readonly<Record<PanelId, ListCursor>> = {
  skills: atTop,
  agents: atTop,
  files: atTop,
  validation: atTop,
  decision: atTop,
  events: atTop,
};

/** The screen as it is before any key. @param session absent: the overview of all */
export function initialUi(session: string | undefined): UiState {
  return {
    sessionId: session,
    hasOverview: session === undefined,
    focus: 'skills',
    hasChosenFocus: false,
    isZoomed: false,
    follow: true,
    cursors: { ...panelCursors, overview: atTop },
    overlay: undefined,
    overlayTop: 0,
    prompt: undefined,
    promptChange: undefined,
    filter: '',
    filterInput: undefined,
    history: undefined,
    timestamps: 'clock',
    notice: undefined,
  };
}
