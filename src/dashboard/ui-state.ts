import type { HistoryView } from '../feed/scrubber.ts';
import type { Tone } from '../view/cells.ts';
import type { DecisionPrompt, PromptChange } from '../view/decision-prompt.ts';
import type { DetailField, PanelId } from '../view/panels/panel.ts';
import type { Timestamps } from '../view/style.ts';
import { atTop, type ListCursor } from './rows/list-cursor.ts';

/** What lies over the panels. */
export type Overlay =
  | { readonly kind: 'help' }
  | { readonly kind: 'detail'; readonly title: string; readonly fields: readonly DetailField[] }
  | RollbackDialog
  | StopDialog;

/** The dialog of `X`: whether the program of a session is to end. */
export interface StopDialog {
  readonly kind: 'stop';
  readonly sessionId: string;
  readonly stage: 'ready' | 'sending';
}

/** The dialog of `B`: what would be undone, as the orchestrator's dry run says. It can be confirmed only once that is on screen. */
export interface RollbackDialog {
  readonly kind: 'rollback';
  readonly sessionId: string;
  readonly stage: 'asking' | 'ready' | 'refused' | 'sending';
  /** The preview's lines, or why there is none; clean. */
  readonly lines: readonly string[];
  /** What is known of the checkpoint that the preview named, clean. */
  readonly checkpoint: readonly string[];
  /** What `y` sends: the checkpoint that the preview named, and not one step back from wherever the session is by then. */
  readonly target: { checkpoint_id: string } | { steps: number };
  /** The seq of the newest checkpoint at the time of the preview: after a newer one the preview is outdated. */
  readonly checkpointSeq: number;
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
  /** The filter of the events, or of the sessions in the overview, while the person types it; undefined at other times. */
  readonly filterInput: string | undefined;
  /** What is typed after `:`; undefined at other times. */
  readonly commandInput: string | undefined;
  /** Which of what can stand there the arrows have chosen; null: none. */
  readonly commandChoice: number | null;
  /** Which sessions the overview shows. */
  readonly sessionFilter: string;
  /** Sessions of the overview that keys which send act on together. */
  readonly marks: ReadonlySet<string>;
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
    sessionFilter: '',
    marks: new Set(),
    filterInput: undefined,
    commandInput: undefined,
    commandChoice: null,
    history: undefined,
    timestamps: 'clock',
    notice: undefined,
  };
}
