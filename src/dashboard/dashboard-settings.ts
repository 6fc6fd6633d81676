import type { Notifying } from '../view/notifications/notification.ts';
import type { UntilCondition } from '../view/watch-end.ts';

/** What the dashboard was asked to show, and how. */
export interface DashboardSettings {
  url: string;
  session: string | undefined;
  globs: readonly string[];
  isReadonly: boolean;
  notifying: Notifying;
  isAscii: boolean;
  /** Whether the mouse scrolls and chooses; without it the terminal keeps the mouse. */
  withMouse: boolean;
  /** Begins in the history, after this event. */
  at: number | undefined;
  /** Fills the log from this event on. */
  since: number | undefined;
  until: UntilCondition | undefined;
  failOnDecision: boolean;
  exitStatus: boolean;
  /** How long it is shown at most, in milliseconds. */
  withinMs: number | undefined;
}
