import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * A token is `sd_<id>_<secret><check>`: 8 letters and digits by which people name it, 43 that hold 256 random bits, and 6 that are
 * the CRC-32 of what stands before them, so that a typing error is told from a token that is not valid. The beginning lets scanners
 * for secrets find it.
 */
const form = /^sd_([0-9A-Za-z]{8})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const [idChars, secretChars, checkChars] = [8, 43, 6];

/** A new token. Its text is shown once; what is kept of it is the hash. */
export function newToken(): { id: string; text: string; sha256: string } {
  const id = randomText(idChars);
  const body = `sd_${id}_${randomText(secretChars)}`;
  const text = body + checkOf(body);
  return { id, text, sha256: hashOf(text) };
}

/** Whether a text has the form of a token, its check characters included. */
export function isTokenText(text: string): boolean {
  return form.test(text) && checkOf(text.slice(0, -checkChars)) === text.slice(-checkChars);
}

/** A token as a caller shows it. Whatever looks it up does so by its hash, which is made once. */
export interface ShownToken {
  readonly text: string;
  readonly sha256: string;
}

/** SHA-256 as hex: 256 random bits need no slower hash. */
export function hashOf(token: string): string {
  return hash('sha256', token);
}

function randomText(length: number): string {
  let text = '';
  // Bytes from 248 on would make the first digits more likely than the others.
  while (text.length < length) for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += digits[byte % 62];
  return text;
}

function checkOf(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let at = 0; at < checkChars; at++) {
    text = `${digits[rest % 62]}${text}`;
    rest = Math.floor(rest / 62);
  }
  return text;
}
