import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Redaction } from '../../core/text/redaction.ts';
import { openBlobReader, type BlobReader } from '../git/git-blobs.ts';
import { openGitIn } from '../git/git-command.ts';
import { splitNul } from './raw-path.ts';
import type { FileChange } from './change-batch.ts';
import { lineDiff } from './line-diff.ts';

/** What the event of a changed file says besides its path. */
export interface ToldDiff {
  diff?: string;
  lines_added?: number;
  lines_removed?: number;
}

/** A larger file has no diff. So many files have one, with so many bytes of their texts remembered, and all diffs have so many characters. */
const fileBytes = 128 * 1024;
const [mostFiles, rememberedChars, toldChars] = [1_000, 16 * 1024 * 1024, 8 * 1024 * 1024];
/** How much of the processor the differences may take within one second. A file that comes later has its diff at its next change. */
const budgetMs = 100;
/** How long git may say nothing when it is asked for the last commit. Beyond that, there are no diffs. */
const gitMs = 2_000;

/** Files whose contents are secrets by what they are for. */
const secretName =
  /(?:^|\/)(?:\.env(?:\.[^/]*)?|\.netrc|\.npmrc|\.pypirc|\.htpasswd|\.git-credentials|id_[a-z0-9]+|[^/]*(?:secret|credential|password)[^/]*|[^/]*\.(?:pem|key|p12|pfx|jks|kdbx|asc|gpg))$/i;

/**
 * What changed in the files of a work tree: since the last commit where a file changes for the first time, then since it was told last.
 * Only of files that the last commit has or that were created meanwhile. It reads files and asks git; it runs nothing that a repository
 * configures, and changes nothing.
 */
export class FileDiffs {
  readonly #folder: string;
  readonly #redaction: Redaction | undefined;
  /** What is a secret by its form, which may begin far before a changed line. */
  readonly #ofWholeTexts: Redaction | undefined;
  /** The texts that were told last; null: this file has no diffs. */
  readonly #texts = new Map<string, string | null>();
  #rememberedChars = 0;
  #toldChars = 0;
  #second = 0;
  #spentMs = 0;
  #isOver = false;

  /** @param folder the paths of changes are relative to it @param redaction what is replaced in texts before they are told */
  constructor(folder: string, redaction: Redaction | undefined) {
    this.#folder = folder;
    this.#redaction = redaction;
    this.#ofWholeTexts = redaction && new Redaction({ hasBuiltIn: redaction.hasBuiltIn, finders: [] });
  }

  /** The diffs of files that changed, by their paths. A file without one is not in it. */
  async of(changes: readonly FileChange[]): Promise<ReadonlyMap<string, ToldDiff>> {
    const told = new Map<string, ToldDiff>();
    const fresh = changes.filter(({ path }) => !this.#texts.has(path)).slice(0, mostFiles - this.#texts.size);
    const committed = await this.#committed(fresh.map(({ path }) => path));
    for (const { type, path } of fresh) {
      const isFirst = type === 'file:created' && !committed.has(path);
      this.#remember(path, this.#isOver || hasNoDiffs(path) ? null : isFirst ? '' : (committed.get(path) ?? null));
    }
    for (const { type, path } of changes) {
      const before = this.#texts.get(path);
      if (before === undefined || before === null || this.#isSpent()) continue;
      const after = type === 'file:deleted' ? '' : await textOf(join(this.#folder, path));
      const isFirst = type === 'file:created' && before === '';
      const base = isFirst ? '/dev/null' : `a/${path}\t${committed.has(path) ? 'last commit' : 'before'}`;
      const diff = after === null ? undefined : this.#diff(before, after, [base, type === 'file:deleted' ? '/dev/null' : `b/${path}`]);
      this.#remember(path, after);
      if (diff !== undefined) told.set(path, diff);
    }
    return told;
  }

  #diff(before: string, after: string, names: readonly [string, string]): ToldDiff | undefined {
    const startedAt = process.cpuUsage();
    const whole = (text: string) => this.#ofWholeTexts?.text(text) ?? text;
    const found = lineDiff(whole(before), whole(after));
    let told: ToldDiff | undefined;
    if (found !== undefined && found.added + found.removed > 0) {
      const lines = found.lines.map((line) => line.slice(0, 1) + (this.#redaction?.text(line.slice(1)) ?? line.slice(1)));
      const diff = [`--- ${names[0]}`, `+++ ${names[1]}`, ...lines].join('\n');
      this.#toldChars += diff.length;
      told = { ...(this.#toldChars <= toldChars ? { diff } : {}), lines_added: found.added, lines_removed: found.removed };
    }
    const { user, system } = process.cpuUsage(startedAt);
    this.#spentMs += (user + system) / 1_000;
    return told;
  }

  #isSpent(): boolean {
    const now = performance.now();
    if (now - this.#second >= 1_000) [this.#second, this.#spentMs] = [now, 0];
    return this.#spentMs > budgetMs;
  }

  #remember(path: string, text: string | null): void {
    this.#rememberedChars += (text?.length ?? 0) - (this.#texts.get(path)?.length ?? 0);
    const isFull = this.#rememberedChars > rememberedChars;
    if (isFull) this.#rememberedChars -= text?.length ?? 0;
    this.#texts.set(path, isFull ? null : text);
  }

  /** The texts of files in the last commit. Without a commit, and after git has failed, no file has a diff any more. */
  async #committed(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const texts = new Map<string, string>();
    const asked = paths.filter((path) => !hasNoDiffs(path));
    if (asked.length === 0 || this.#isOver) return texts;
    const git = openGitIn(this.#folder);
    let blobs: BlobReader | undefined;
    try {
      const listed = await git.run(['ls-tree', '-l', '-z', 'HEAD', '--', ...asked], { silenceMs: gitMs });
      for (const record of splitNul(listed)) {
        const [, oid, size, path] = /^1\d+ blob ([\da-f]+) +(\d+)\t([^]+)$/.exec(record) ?? [];
        if (oid === undefined || path === undefined || Number(size) > fileBytes) continue;
        const pieces: Buffer[] = [];
        blobs ??= openBlobReader(git, gitMs);
        await blobs.read(oid, (piece) => void pieces.push(piece));
        const text = textIn(Buffer.concat(pieces));
        if (text !== null) texts.set(Buffer.from(path, 'latin1').toString('utf8'), text);
      }
    } catch {
      this.#isOver = true;
    } finally {
      blobs?.close();
    }
    return texts;
  }
}

/** Names that no diff can have a line of, and those of secrets. */
function hasNoDiffs(path: string): boolean {
  return /[\0-\x1f\x7f\ufffd]/.test(path) || secretName.test(path);
}

/** The text of a file now; null: it is none, or too large, or gone. */
async function textOf(path: string): Promise<string | null> {
  try {
    // Neither a link nor a pipe, whatever stands there by now.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > fileBytes) return null;
    const bytes = Buffer.alloc(fileBytes + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytesRead > fileBytes ? null : textIn(bytes.subarray(0, bytesRead));
  } catch {
    return null;
  }
}

function textIn(bytes: Buffer): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
