import { closeSync, constants, fchmodSync, fstatSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../../executable/make-folder.ts';
import { z } from 'zod';
import { roles } from '../../../core/access.ts';
import { parse } from '../../../core/json/parse.ts';
import { sessionGlob, tenantName, tokenName } from '../../../core/protocol/tokens.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { limits } from '../../../core/protocol/limits.ts';
import { readOwnFile } from '../own-file.ts';

/** A token as the server keeps it: not the token, but its hash. */
const storedToken = z.object({
  id: z.string().regex(/^[0-9A-Za-z]{8}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  name: tokenName,
  role: z.enum(roles),
  /** Whether an operator may send the commands that can run code. */
  steer: z.boolean(),
  sessions: z.array(sessionGlob).min(1).max(limits.tokenSessions),
  /** The tenant whose sessions it reaches; absent: the server's own workspace. */
  tenant: tenantName.optional(),
  created_at: z.iso.datetime(),
  /** Null: it does not expire. */
  expires_at: z.iso.datetime().nullable(),
  /** Of a link to one session: a browser that opens it is let in, and nobody else. */
  share: z
    .object({
      /** Who made it, and by which token; null: by none, or by one of an identity provider. It ends with that token. */
      by: z.string().max(limits.idChars),
      token: z.string().nullable(),
      /** Whether a browser has opened it: before, the hash is that of the link's code, and then of the browser's cookie. */
      opened: z.boolean(),
    })
    .optional(),
});
export type StoredToken = z.output<typeof storedToken>;

const tokenFile = z.object({ version: z.literal(1), tokens: z.array(storedToken).max(limits.tokens) });

/** How old a lock is when its process has surely gone: a change takes milliseconds. */
const staleLockMs = 10_000;

/** The file with the tokens of a journal's server. It holds no token, but who reads it learns who has one. */
export function tokenFileOf(journal: string): string {
  return `${journal}-tokens`;
}

/**
 * The tokens of a file; none where there is no file.
 * @throws ShannonDashError FORBIDDEN it is not a regular file of this user that others can neither read nor write; INVALID its content
 */
export function readTokenFile(path: string): StoredToken[] {
  const text = readOwnFile(path);
  if (text === undefined) return [];
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new ShannonDashError('INVALID', `${path} is not JSON: restore it, or remove it and create new tokens`, undefined, { cause });
  }
  return parse(tokenFile, content, path).tokens;
}

/**
 * Changes the tokens of a file; one process at a time, and a reader sees the old ones or the new ones.
 * @throws ShannonDashError as `readTokenFile`; UNAVAILABLE another process changes it; what `change` throws
 */
export function changeTokenFile(path: string, change: (tokens: readonly StoredToken[]) => StoredToken[]): void {
  makeFolder(dirname(path), 0o700);
  withTokenLock(path, () => {
    const tokens = change(readTokenFile(path));
    if (tokens.length > limits.tokens)
      throw new ShannonDashError('LIMIT_REACHED', `There can be ${limits.tokens} tokens; revoke some first`);
    replaceFile(path, `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`, { flush: true });
  });
}

/**
 * Does something with the file of tokens, or one beside it, while no other process does.
 * @throws ShannonDashError UNAVAILABLE another process does; what `work` throws
 */
export function withTokenLock(path: string, work: () => void): void {
  const lock = `${path}-lock`;
  takeLock(lock);
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Writes a file whole: a reader finds the old one or the new one. Whoever calls it holds the lock. @param flush waits for the disk */
export function replaceFile(path: string, text: string, { flush = false } = {}): void {
  const next = `${path}-new`;
  rmSync(next, { force: true });
  writeFileSync(next, text, { mode: 0o600, flag: 'wx', flush });
  renameSync(next, path);
}

function takeLock(lock: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      const descriptor = openSync(lock, 'wx', 0o600);
      fchmodSync(descriptor, 0o600);
      closeSync(descriptor);
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      if (attempt === 0 && isStale(lock)) rmSync(lock, { force: true });
      else throw new ShannonDashError('UNAVAILABLE', `Another process changes the tokens (${lock}); try again`, undefined, { cause });
    }
  }
}

function isStale(lock: string): boolean {
  try {
    const descriptor = openSync(lock, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return Date.now() - fstatSync(descriptor).mtimeMs > staleLockMs;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return true;
  }
}
