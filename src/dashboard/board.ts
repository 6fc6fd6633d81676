import type { LogLine } from '../view/log/log-lines.ts';
import type { Tone } from '../view/cells.ts';
import type { Style } from '../view/style.ts';
import type { WatchEnding } from '../view/watch-end.ts';
import type { DashboardSettings } from './dashboard-settings.ts';
import type { Candidate } from './keys/typing/candidates.ts';
import type { Screen } from './screen/screen.ts';
import type { CommandDesk } from '../feed/command-desk.ts';
import type { EventFinder } from '../feed/event-finder.ts';
import type { Feed } from '../feed/feed.ts';
import type { Scrubber } from '../feed/scrubber.ts';
import type { UiState } from './ui-state.ts';

/** Why the dashboard ended: by itself, or because its user left, the server refused it, a signal came, or its window broke. */
export type DashboardEnding = WatchEnding | 'left' | 'refused' | 'interrupted' | 'terminated' | 'hung-up' | 'broken';

/** What the dashboard needs of its terminal. */
export interface Screenholder {
  size(): { columns: number; rows: number };
  /** Draws a frame. */
  show(screen: Screen): void;
  /** Writes a sequence that shows nothing: clipboard, bell, notification. */
  signal(sequence: string): void;
  /** Leaves the full screen for a plain stream, until asked back. */
  stream(): void;
  /** Stops the process as Ctrl-Z does elsewhere. */
  suspend(): void;
  leave(ending: DashboardEnding): void;
}

/** What keys and the plain stream act on. */
export interface Board {
  readonly ui: UiState;
  readonly screen: Screen | undefined;
  readonly settings: DashboardSettings;
  readonly feed: Feed;
  readonly desk: CommandDesk;
  readonly scrubber: Scrubber;
  /** Finds the events that tell more of an item. */
  readonly details: EventFinder;
  readonly terminal: Screenholder;
  /** Changes what is on screen: the one way to do so. */
  change(changes: Partial<UiState>): void;
  /** Says something at the foot of the screen for some seconds. */
  say(text: string, tone: Tone): void;
  /** Draws the frame for what is known now. */
  draw(): void;
  /** Puts a text into the clipboard, as far as the terminal takes it. */
  copy(text: string): void;
  /** How things are shown at this moment. */
  style(): Style;
  /** The lines of the log on screen. */
  lines(): readonly LogLine[];
  /** What can stand at the end of the command line that is typed. */
  candidates(): readonly Candidate[];
  /** How it ends when its user leaves now. */
  endingNow(): DashboardEnding;
}
