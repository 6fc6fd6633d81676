import { z } from 'zod';
import { limits } from './limits.ts';

const sessionIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Id of a session: 1 to 128 of `A-Z a-z 0-9 . _ : -`, the first one alphanumeric. */
export const sessionId = z
  .string('must be a text of 1 to 128 of A-Z a-z 0-9 . _ : -')
  .regex(sessionIdPattern, 'must be 1 to 128 of A-Z a-z 0-9 . _ : -, the first one alphanumeric');

/** Any other id on the wire: 1 to 128 characters. */
export const shortId = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(limits.idChars, `must be at most ${limits.idChars} characters`);

/** Whether a text can name a session. */
export function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && sessionIdPattern.test(value);
}

/** The id of the event of a step of a command's life; `final` is that of its end, whichever it is. */
export function commandStepId(commandId: string, step: string): string {
  return `command:${commandId}:${step}`;
}

/** Whether an id is one that the server gives to a step of a command. */
export function isCommandStepId(id: string): boolean {
  return /^command:.+:(?:queued|delivered|final)$/.test(id);
}
