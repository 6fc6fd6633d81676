import { createHash } from 'node:crypto';
import { readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../../executable/make-folder.ts';
import { readConfigurationFile } from './configuration-file.ts';
import { userFolders } from './user-folders.ts';

/** A project's file that the user trusts, as long as it holds just this. */
interface TrustRecord {
  path: string;
  sha256: string;
}

/** Whether the user trusts this file with just this content. */
export function isTrusted({ path, bytes }: { path: string; bytes: Buffer }): boolean {
  const record = readRecord(recordPath(realPath(path)));
  return record?.path === realPath(path) && record.sha256 === hashOf(bytes);
}

/** Remembers that the user trusts this file, as long as it holds just this. @throws the system's error */
export function trust({ path, bytes }: { path: string; bytes: Buffer }): void {
  const record: TrustRecord = { path: realPath(path), sha256: hashOf(bytes) };
  const target = recordPath(record.path);
  makeFolder(dirname(target), 0o700);
  // In one step: a program that reads it meanwhile finds the old file or the new one.
  const draft = `${target}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(draft, target);
}

/** Forgets it. @returns whether it was trusted, be it with another content */
export function revokeTrust(path: string): boolean {
  const record = recordPath(realPath(path));
  const wasThere = readRecord(record) !== undefined;
  rmSync(record, { force: true });
  return wasThere;
}

/** The paths of all that are trusted, and whether they still hold what the user has seen. */
export function trustedFiles(): { path: string; isUnchanged: boolean }[] {
  return recordNames()
    .map((name) => readRecord(join(recordFolder(), name)))
    .filter((record) => record !== undefined)
    .map(({ path, sha256 }) => {
      const bytes = readConfigurationFile(path, true)?.bytes;
      return { path, isUnchanged: bytes !== undefined && hashOf(bytes) === sha256 };
    })
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

function recordNames(): string[] {
  try {
    return readdirSync(recordFolder()).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

function readRecord(path: string): TrustRecord | undefined {
  const bytes = readConfigurationFile(path, true)?.bytes;
  try {
    const record: unknown = bytes === undefined ? undefined : JSON.parse(String(bytes));
    return isTrustRecord(record) ? record : undefined;
  } catch {
    // A list that cannot be read trusts no file.
    return undefined;
  }
}

/** Without a schema library: the completions of a shell ask this too, and have no time to load one. */
function isTrustRecord(value: unknown): value is TrustRecord {
  const { path, sha256 } = (value ?? {}) as Partial<Record<keyof TrustRecord, unknown>>;
  return typeof path === 'string' && typeof sha256 === 'string';
}

function recordFolder(): string {
  return join(userFolders().state, 'trusted');
}

function recordPath(path: string): string {
  return join(recordFolder(), `${hashOf(path)}.json`);
}

/** The path without the links in its folders: the same file by another way is as trusted. */
function realPath(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
