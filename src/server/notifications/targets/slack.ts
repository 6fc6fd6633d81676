import type { SlackTarget } from '../notification-settings.ts';
import { linesOf, type Message, type TargetRequest } from './message.ts';

/** Slack shows at most so many characters of a section. */
const sectionChars = 3_000;

/** The form of Slack's incoming webhooks. The texts come from strangers: they stand as plain text, in which Slack looks for no mentions and no links. */
export function slackRequest({ url }: SlackTarget, message: Message): TargetRequest {
  const { title } = message.notification;
  const section = (text: string) => ({ type: 'section', text: { type: 'plain_text', text: text.slice(0, sectionChars), emoji: false } });
  const text = [...linesOf(message), ...commandOf(message)].join('\n');
  const blocks = [section(title), ...(text === '' ? [] : [section(text)])];
  // What a phone shows before the message is opened. Slack would take `<!here>` and `<url|text>` in it for its own.
  return { url, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: escaped(title), mrkdwn: false, blocks }) };
}

/** How a decision is answered on the command line. */
function commandOf({ events }: Message): string[] {
  const [told, ...others] = events;
  if (told?.event.type !== 'decision:point' || others.length > 0) return [];
  const { session_id, data } = told.event;
  const decisionId = String(data['decision_id']);
  // An id that a shell would act on, or that does not fit, is found with `watch`.
  if (!/^[\w.:@/-]{1,128}$/.test(decisionId)) return [`shannon-dash watch ${session_id}`];
  return [`shannon-dash send DECISION -s ${session_id} --decision ${decisionId} --choice ...`];
}

/** As Slack asks for. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
