import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { makeFolder } from '../../executable/make-folder.ts';

import { type Git, type GitRepository, NoCheckpointsError, openPrivateGit } from '../git/git-command.ts';

/**
 * The place of the checkpoints of one session in one work tree: a bare repository below the user's state folder. Checkpoints hold files
 * that the user never committed. So they are stored where `git push`, a copy of the repository or a container image cannot include them.
 */
export interface StoredSession {
  readonly folder: string;
  readonly session: string;
  /** The top of the work tree. */
  readonly root: string;
  /** The server that knows the session. */
  readonly url: string;
  readonly usedAt: Date;
}

/** How long unused checkpoints are kept. */
const unusedDays = 30;
const placeFile = 'place.json';
const place = z.object({ session: z.string(), root: z.string(), url: z.string() });

/** The folder below the user's state folder that holds all checkpoints. */
export function checkpointsFolder(stateFolder: string): string {
  return join(stateFolder, 'checkpoints');
}

/** Opens the repository of a session's checkpoints, or creates it. @throws NoCheckpointsError when it cannot be written */
export async function openCheckpointStore(
  git: Git,
  { stateFolder, sessionId, url }: { stateFolder: string; sessionId: string; url: string },
): Promise<GitRepository> {
  const tree = createHash('sha256').update(git.root).digest('hex').slice(0, 16);
  const folder = join(checkpointsFolder(stateFolder), tree, fileNameOf(sessionId));
  try {
    for (const each of ['objects', 'refs']) makeFolder(join(folder, each), 0o700);
    const isSha1 = git.objectFormat === 'sha1';
    const config = `[core]\n\trepositoryformatversion = ${isSha1 ? 0 : 1}\n\tbare = true\n\tlogAllRefUpdates = false\n`;
    // Written again each time, so that no setting that another program added takes effect.
    await replaceFile(join(folder, 'config'), isSha1 ? config : `${config}[extensions]\n\tobjectFormat = ${git.objectFormat}\n`);
    if (!existsSync(join(folder, 'HEAD'))) await replaceFile(join(folder, 'HEAD'), 'ref: refs/heads/none\n');
    await replaceFile(join(folder, placeFile), JSON.stringify({ session: sessionId, root: git.root, url }));
  } catch (error) {
    throw new NoCheckpointsError(`${folder} cannot be written: ${(error as Error).message}`, 'unusable', { cause: error });
  }
  return openPrivateGit(folder, git);
}

/** Records that a session's checkpoints are in use. */
export async function markUsed(folder: string): Promise<void> {
  const now = new Date();
  await utimes(join(folder, placeFile), now, now).catch(() => {});
}

/** All sessions that have checkpoints, in all work trees. */
export async function storedSessions(stateFolder: string): Promise<StoredSession[]> {
  const top = checkpointsFolder(stateFolder);
  const found: StoredSession[] = [];
  for (const tree of await namesIn(top)) {
    for (const name of await namesIn(join(top, tree))) {
      const folder = join(top, tree, name);
      try {
        const file = join(folder, placeFile);
        found.push({ folder, ...place.parse(JSON.parse(await readFile(file, 'utf8'))), usedAt: (await stat(file)).mtime });
      } catch {
        // Another process creates or removes it at this moment, or it is not a folder of checkpoints.
      }
    }
  }
  return found;
}

/** Removes a session's checkpoints and all their contents. */
export async function removeStored(folder: string): Promise<void> {
  // Renamed first, so that no other process finds a half-removed folder.
  const aside = `${folder}.${randomUUID()}.gone`;
  await rename(folder, aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rm(aside, { recursive: true, force: true });
}

/** Whether checkpoints can be removed: they were not used for a long time, or their work tree was deleted. */
export function isOutdated({ usedAt, root }: StoredSession, now = Date.now()): boolean {
  return now - usedAt.getTime() > unusedDays * 24 * 60 * 60_000 || !existsSync(root);
}

/** Removes outdated checkpoints, except those of the session in use. Errors are ignored. */
export async function removeOutdated(stateFolder: string, inUse: string): Promise<void> {
  for (const each of await storedSessions(stateFolder))
    if (each.folder !== inUse && isOutdated(each)) await removeStored(each.folder).catch(() => {});
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomUUID()}`;
  await writeFile(beside, text, { mode: 0o600 });
  await rename(beside, path);
}

/** Converts a session id to a file name. Different ids give different names. */
function fileNameOf(sessionId: string): string {
  const safe = Buffer.from(sessionId)
    .toString('latin1')
    .replace(/[^A-Za-z0-9_-]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  // A file name has at most 255 bytes, and some file systems ignore the case of letters.
  const digest = createHash('sha256').update(sessionId).digest('hex');
  return safe.length > 0 && safe.length <= 150 ? `${safe}-${digest.slice(0, 8)}` : digest;
}
