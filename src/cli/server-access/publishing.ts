import { ShannonDashError } from '../../core/protocol/errors.ts';
import { newId } from '../../core/ids.ts';
import type { PublishedMessage } from '../../core/protocol/messages.ts';
import { Failure } from '../failure.ts';
import { request } from './server-request.ts';
import type { Output } from '../terminal/output.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Publishes one event; resolves once the journal holds it. With its own id in every attempt it is journalled once.
 * @throws ShannonDashError the server's refusal; UNREACHABLE; TIMEOUT
 */
export async function publishOne(
  settings: Settings,
  session: string,
  { type, data, id }: { type: string; data: Record<string, unknown>; id?: string | undefined },
  output: Output,
): Promise<PublishedMessage> {
  try {
    return await request(settings, 'publish', { path: { id: session }, body: { type, data, id: id ?? newId() } }, { output });
  } catch (error) {
    if (!(error instanceof ShannonDashError) || error instanceof Failure) throw error;
    // It was the only one: its place in the list says nothing.
    throw new ShannonDashError(error.code, error.message.replace(/^events\[0\]\./, ''), error.details, {
      cause: error,
      retryAfterMs: error.retryAfterMs,
    });
  }
}
