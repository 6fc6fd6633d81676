import type { SessionEvent } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { NotificationDesk } from '../../view/notifications/notification-desk.ts';
import { toldTypes } from '../../view/notifications/told-events.ts';

/** Notifies the person by the browser of what needs one, and of what has ended, while the page is out of sight. */
export class Notifier {
  readonly #desk = new NotificationDesk(toldTypes);

  /** Whether the person can still be asked to allow it. Browsers have notifications on pages that came by https or from their own machine. */
  static get canAsk(): boolean {
    return 'Notification' in window && Notification.permission === 'default';
  }

  /** Takes new events, and tells of them at once where the page is out of sight. In sight, the page itself tells. */
  take(events: readonly SessionEvent[], stateOf: (session: string) => SessionState | undefined): void {
    const nowMs = Date.now();
    this.#desk.take(events, nowMs);
    const notifications = this.#desk.last(nowMs, stateOf);
    if (document.visibilityState === 'visible' || !('Notification' in window) || Notification.permission !== 'granted') return;
    for (const { title, lines } of notifications) notify(title, lines.join('\n'));
  }
}

function notify(title: string, body: string): void {
  try {
    // One takes the place of the one before: what is to be done stands on the page.
    const notification = new Notification(title, { body, tag: 'shannon-dash' });
    notification.addEventListener('click', () => window.focus());
  } catch {
    // Browsers of phones have them for installed pages with a service worker only.
  }
}
