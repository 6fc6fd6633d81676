import { createHmac } from 'node:crypto';
import { smallValue } from '../../../core/fold/fold-values.ts';
import { receivedAt } from '../../../core/protocol/event.ts';
import type { WebhookTarget } from '../notification-settings.ts';
import { linesOf, type Message, type TargetRequest, type ToldEvent } from './message.ts';

/** Of one event: fields, and characters of the JSON of each. */
const [mostFields, fieldChars] = [50, 2_000];

/**
 * JSON, signed as Standard Webhooks 1.0 says: HMAC-SHA256 of `id.timestamp.body` with the secret's bytes.
 * @param nowMs when it is sent: the receiver refuses what is old
 */
export function webhookRequest({ url, secret }: WebhookTarget, message: Message, nowMs: number): TargetRequest {
  const { id, notification, events, letGo } = message;
  const { type, count, title, isUrgent } = notification;
  const text = linesOf(message).join('\n');
  const body = JSON.stringify({ v: 1, id, type, count, title, text, urgent: isUrgent, let_go: letGo, events: events.map(fieldsOf) });
  const timestamp = String(Math.floor(nowMs / 1_000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  return { url, headers: { 'content-type': 'application/json', ...headers }, body };
}

function fieldsOf({ event, state, epoch, answerUrl }: ToldEvent) {
  const { session_id, seq, id, type, data } = event;
  const fields = Object.entries(data).slice(0, mostFields);
  return {
    session_id,
    epoch,
    seq,
    id,
    type,
    timestamp: receivedAt(event),
    data: Object.fromEntries(fields.map(([name, value]) => [name, smallValue(value, fieldChars)])),
    status: state.status,
    task: state.task,
    ...(answerUrl === undefined ? {} : { answer_url: answerUrl }),
  };
}
