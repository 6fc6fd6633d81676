import { availableParallelism } from 'node:os';

import { GitError, type GitRepository, ownObjectsOnly } from './git-command.ts';
import type { RawPath } from '../files/raw-path.ts';

/** The files that one process hashes. For fewer files a second process costs more time than it saves. */
const filesPerProcess = 500;

/**
 * Returns the object ids of files, from their bytes on disk: git applies no filter and converts no line ends. `paths` are relative to
 * the top, or absolute. With `write` the contents are stored too. A file that cannot be read (deleted, permission denied) is left out.
 */
export async function hashFiles(
  git: GitRepository,
  paths: readonly RawPath[],
  { write }: { write: boolean },
): Promise<Map<RawPath, string>> {
  const oids = new Map<RawPath, string>();
  const share = Math.max(filesPerProcess, Math.ceil(paths.length / Math.min(availableParallelism(), 4)));
  const shares: RawPath[][] = [];
  for (let start = 0; start < paths.length; start += share) shares.push(paths.slice(start, start + share));
  await Promise.all(shares.map((part) => hashShare(git, part, write, oids)));
  return oids;
}

async function hashShare(git: GitRepository, paths: readonly RawPath[], write: boolean, oids: Map<RawPath, string>): Promise<void> {
  let rest = paths;
  while (rest.length > 0) {
    const input = Buffer.from(rest.map((path) => `${quote(path)}\n`).join(''), 'latin1');
    let output: Buffer;
    try {
      output = await git.run(['hash-object', ...(write ? ['-w'] : []), '--no-filters', '--stdin-paths'], { input, env: ownObjectsOnly });
    } catch (error) {
      if (!(error instanceof GitError) || error.exitCode === null) throw error;
      output = error.stdout;
    }
    const lines = output.toString('latin1').split('\n').slice(0, -1);
    lines.forEach((oid, index) => oids.set(rest[index] ?? '', oid));
    // git exits at the first file that it cannot read. Skip that file and continue with the next one.
    rest = rest.slice(lines.length + 1);
  }
}

/** Quotes a path in C style, which git decodes. Names with a line end, a CR at the end or a quote at the start need it. */
function quote(path: RawPath): string {
  // Every other character is written in octal, because that rule is short and has no exceptions.
  return `"${path.replace(/[^A-Za-z0-9_./-]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)}"`;
}

/** Reads stored contents one after the other, through one git process. */
export interface BlobReader {
  /** Passes the contents to `sink` piece by piece, so that a large file is never in memory as a whole. Throws when the object is missing. */
  read(oid: string, sink: (chunk: Buffer) => Promise<void> | void): Promise<void>;
  close(): void;
}

/** Opens a reader (`git cat-file --batch`). One `read` at a time. */
export function openBlobReader(git: Pick<GitRepository, 'start'>, silenceMs?: number): BlobReader {
  const child = git.start(['cat-file', '--batch'], silenceMs === undefined ? {} : { silenceMs });
  child.stdin.on('error', () => {});
  child.stderr.resume();
  const chunks: AsyncIterator<Buffer> = child.stdout[Symbol.asyncIterator]();
  let pending: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer> => {
    const next = await chunks.next();
    if (next.done) throw new Error('git cat-file ended before the contents were read');
    child.heard();
    return next.value;
  };
  return {
    async read(oid, sink) {
      child.stdin.write(`${oid}\n`);
      while (!pending.includes(10)) pending = Buffer.concat([pending, await more()]);
      const lineEnd = pending.indexOf(10);
      const [, type, size] = pending.toString('latin1', 0, lineEnd).split(' ');
      pending = pending.subarray(lineEnd + 1);
      if (type !== 'blob') throw new Error(`the stored contents ${oid} are missing`);
      let left = Number(size);
      let failure: unknown;
      while (left > 0) {
        if (pending.length === 0) pending = await more();
        const chunk = pending.subarray(0, left);
        pending = pending.subarray(chunk.length);
        left -= chunk.length;
        // When the sink fails (disk full), the rest is still read, so that the next read starts at the right place.
        if (failure === undefined) {
          try {
            await sink(chunk);
          } catch (error) {
            failure = error;
          }
        }
      }
      // Skip the line end that cat-file writes after the contents.
      if (pending.length === 0) pending = await more();
      pending = pending.subarray(1);
      if (failure !== undefined) throw failure;
    },
    close() {
      child.stdin.end();
      child.stdout.destroy();
    },
  };
}
