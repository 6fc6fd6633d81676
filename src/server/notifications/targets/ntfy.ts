import { notificationLimits } from '../../../core/protocol/limits.ts';
import { shown } from '../../../view/text/shown-text.ts';
import { topicOf, type NtfyTarget } from '../notification-settings.ts';
import { linesOf, type Message, type TargetRequest } from './message.ts';

/** ntfy shows at most so many buttons. */
const mostActions = 3;
/** Of ntfy's five: above the usual one, which is 3. */
const [urgentPriority, usualPriority] = [4, 3];

/** The form of ntfy, published as JSON to the root of its server. */
export function ntfyRequest({ url, token }: NtfyTarget, message: Message): TargetRequest {
  const { title, isUrgent } = message.notification;
  const root = new URL(url);
  root.pathname = root.pathname.split('/').slice(0, -1).join('/') || '/';
  const actions = actionsOf(message);
  const body = {
    topic: topicOf(url),
    title,
    message: linesOf(message).join('\n') || title,
    priority: isUrgent ? urgentPriority : usualPriority,
    ...(actions.length === 0 ? {} : { actions }),
  };
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return { url: root.href, headers, body: JSON.stringify(body) };
}

/** Buttons that answer a decision. */
function actionsOf({ events }: Message): object[] {
  const [told, ...others] = events;
  const { answerUrl, decision } = told ?? {};
  if (answerUrl === undefined || decision === undefined || others.length > 0) return [];
  // More than there are buttons for: some would look like all.
  if (decision.options.length > mostActions) return [];
  return decision.options.map(({ id, label }) => ({
    action: 'http',
    label: shown(label, notificationLimits.optionChars),
    url: answerUrl,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ choice: id }),
    clear: true,
  }));
}
