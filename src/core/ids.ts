import { z } from 'zod';
import { limits } from './protocol/limits.ts';
import { text } from './text/text.ts';

const sessionIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Id of a session: 1 to 128 of `A-Z a-z 0-9 . _ : -`, the first one alphanumeric. */
export const sessionId = z
  .string('must be a text of 1 to 128 of A-Z a-z 0-9 . _ : -')
  .regex(sessionIdPattern, 'must be 1 to 128 of A-Z a-z 0-9 . _ : -, the first one alphanumeric');

/** The id of a session where none may be given: an empty text and `null` are none. */
export const optionalSessionId = z.preprocess((id) => (id === '' || id === null ? undefined : id), sessionId.optional());

/** Any other id on the wire: 1 to 128 characters. */
export const shortId = text.min(1, 'must not be empty').max(limits.idChars, `must be at most ${limits.idChars} characters`);

/**
 * A new id that no other will be equal to: a UUID of version 7 (RFC 9562, section 5.7), which begins with the time. Ids made
 * one after the other lie side by side in a journal's index, and are written several times faster than ids at random.
 */
export function newId(): string {
  const milliseconds = Date.now().toString(16).padStart(12, '0');
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7${randomUuid().slice('xxxxxxxx-xxxx-4'.length)}`;
}

/** A short text at random, for a name that people read. */
export function randomName(): string {
  return randomUuid().slice(0, 8);
}

/** Whether a text can name a session. */
export function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && sessionIdPattern.test(value);
}

/** The id of the event of a step of a command's life; `final` is that of its end, whichever it is. */
export function commandStepId(commandId: string, step: string): string {
  return `command:${commandId}:${step}`;
}

/** The id of the event that answers a decision: the first answer is the only one, whichever server writes it. @param seq of the event that asked */
export function decisionMadeId(seq: number): string {
  return `decision:${seq}:made`;
}

/** The id of the event that ends an attachment. @param term the `seq` of the event that attached */
export function detachedId(term: number): string {
  return `orchestrator:${term}:detached`;
}

/** Whether an id is one that only the server gives: to a step of a command, to an answer, to the end of an attachment, or where a session is lost. */
export function isServerEventId(id: string): boolean {
  return /^command:.+:(?:queued|delivered|delivered:.+|final)$|^(?:decision:\d+:made|orchestrator:\d+:detached|execution:lost:\d+)$/.test(
    id,
  );
}

/** A random UUID. Browsers make one only on pages that came over HTTPS or from this machine; on others it is put together here. */
export function randomUuid(): string {
  const { crypto } = globalThis;
  if ((crypto.randomUUID as unknown) !== undefined) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // RFC 9562, section 5.4: the version, and the variant.
  bytes.set([((bytes[6] ?? 0) & 0x0f) | 0x40], 6);
  bytes.set([((bytes[8] ?? 0) & 0x3f) | 0x80], 8);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
