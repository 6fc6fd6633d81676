import { notificationLimits } from '../../../core/protocol/limits.ts';
import { version } from '../../../executable/own-program.ts';
import type { Target } from '../notification-settings.ts';
import type { Message, TargetRequest } from './message.ts';
import { ntfyRequest } from './ntfy.ts';
import { slackRequest } from './slack.ts';
import { webhookRequest } from './webhook.ts';

/** What came of telling a target. The reason never holds a URL: some are secrets. */
export type Outcome =
  | { kind: 'told' }
  /** It may go well later; `afterMs`: not before, as the target asks. */
  | { kind: 'later'; reason: string; afterMs?: number | undefined }
  /** The target does not take it. */
  | { kind: 'refused'; reason: string };

/** Statuses of 4xx that pass: time-out, too early, too many requests. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/** Sends a message to a target, once. It never throws. @param signal ends it */
export async function tell(target: Target, message: Message, signal: AbortSignal): Promise<Outcome> {
  const { url, headers, body } = requestFor(target, message);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'user-agent': `shannon-dash/${version}`, ...headers },
      body,
      // Only the URL that the owner of the server has named is called, and nothing that it leads to.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(notificationLimits.answerMs)]),
    });
    // What the target says beside its status is not of interest, and could be long.
    await response.body?.cancel();
    return outcomeOf(response);
  } catch (error) {
    return { kind: 'later', reason: reasonOf(error) };
  }
}

function requestFor(target: Target, message: Message): TargetRequest {
  switch (target.kind) {
    case 'webhook':
      return webhookRequest(target, message, Date.now());
    case 'slack':
      return slackRequest(target, message);
    case 'ntfy':
      return ntfyRequest(target, message);
  }
}

function outcomeOf({ ok, status, headers }: Response): Outcome {
  if (ok) return { kind: 'told' };
  if (status >= 300 && status < 400) return { kind: 'refused', reason: `it answers with ${status}, and redirects are not followed` };
  const reason = `it answers with ${status}`;
  return status >= 500 || passing.has(status) ? { kind: 'later', reason, afterMs: retryAfterMs(headers) } : { kind: 'refused', reason };
}

/** Seconds, or a date. */
function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), notificationLimits.longestAskedRetryMs);
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `it did not answer within ${notificationLimits.answerMs / 1_000} s`;
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code === undefined ? 'it cannot be reached' : `it cannot be reached: ${code}`;
}
