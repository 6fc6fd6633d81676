import { maskPasswords } from '../core/text/mask-passwords.ts';
import { openConnection } from '../client/connection/connection.ts';
import type { Notifying } from '../view/notifications/notification.ts';
import type { UntilCondition } from '../view/watch-end.ts';
import type { DashboardEnding } from './board.ts';
import type { DashboardSettings } from './dashboard-settings.ts';

/** What `watch` on a terminal was called with. */
export interface DashboardOptions {
  url: string;
  token?: string | undefined;
  /** Absent: the overview of all sessions. */
  session?: string | undefined;
  /** Globs over event types for the log. The panels always show the whole session. */
  filters: readonly string[];
  readonly: boolean;
  notifying: Notifying;
  ascii: boolean;
  mouse: boolean;
  /** Begins in the history, after this event. */
  at?: number | undefined;
  /** Fills the log from this event on. */
  since?: number | undefined;
  noColor: boolean;
  until?: UntilCondition | undefined;
  exitStatus: boolean;
  failOnDecision: boolean;
  /** How long it is shown at most, in milliseconds. */
  withinMs?: number | undefined;
  /** The name that others see. */
  clientName: string;
  version: string;
}

/**
 * Shows the dashboard until it ends, and says why it ended; what remains in the terminal afterwards is a summary of five lines.
 * Chalk is loaded after the environment that it reads while loading is set.
 */
export async function runDashboard(options: DashboardOptions): Promise<DashboardEnding> {
  if (options.noColor) process.env['FORCE_COLOR'] = '0';
  const connection = openConnection({ url: options.url, token: options.token, client: options.clientName });
  const settings: DashboardSettings = {
    url: maskPasswords(options.url),
    session: options.session,
    globs: options.filters,
    isReadonly: options.readonly,
    notifying: options.notifying,
    isAscii: options.ascii,
    withMouse: options.mouse,
    at: options.at,
    since: options.since,
    until: options.until,
    failOnDecision: options.failOnDecision,
    exitStatus: options.exitStatus,
    withinMs: options.withinMs,
  };
  const { showInTerminal } = await import('./terminal/terminal.ts');
  const { ending, summary } = await showInTerminal(connection, settings, options.noColor);
  if (summary.length > 0) process.stdout.write(`${summary.join('\n')}\n`);
  return ending;
}
