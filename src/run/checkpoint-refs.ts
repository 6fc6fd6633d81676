import { createHash } from 'node:crypto';
import { relative } from 'node:path';

import { type Git, GitError } from './git-command.ts';

/** A checkpoint as its commit and ref tell it. */
export interface Checkpoint {
  readonly checkpoint_id: string;
  /** Counts up within the session; the order of checkpoints. */
  readonly number: number;
  /** `before-rollback` ones are made by a rollback, so that it can be rolled back itself. */
  readonly kind: 'checkpoint' | 'before-rollback';
  readonly label?: string;
  readonly commit: string;
  readonly tree: string;
  /** How many files it holds. */
  readonly files: number;
  /** ISO 8601. */
  readonly created_at: string;
  /** The commit of HEAD then, or null before the first one. */
  readonly head: string | null;
  /** Digest of what was staged then. */
  readonly index_digest: string;
}

/** The checkpoints of one session in one work tree, each a commit kept alive by a ref. */
export interface CheckpointRefs {
  /** All of them, the newest last. */
  list(): Promise<Checkpoint[]>;
  /** Keeps a tree as the newest checkpoint, and lets go of the oldest beyond the bound. */
  add(checkpoint: NewCheckpoint): Promise<Checkpoint>;
}

/** What the maker of a checkpoint says; the rest is given by its keeper. */
type NewCheckpoint = Pick<Checkpoint, 'checkpoint_id' | 'kind' | 'label' | 'tree' | 'files' | 'head' | 'index_digest'>;

const KEPT_CHECKPOINTS = 200;

/** The refs of a session. Nothing is read before they are asked for. */
export function createCheckpointRefs(git: Git, sessionId: string): CheckpointRefs {
  const folder = `refs/shannon-dash/${refPart(sessionId)}`;
  // Linked work trees share their refs: each checkpoint says whose files it holds.
  const workTree = relative(git.commonDir, git.gitDir);

  const readAll = async (): Promise<{ mine: Checkpoint[]; lastNumber: number }> => {
    const format = ['%(refname)', '%(objectname)', '%(tree)', '%(contents:body)', ''].join('%00');
    const fields = (await git.run(['for-each-ref', `--format=${format}`, `${folder}/`])).toString('utf8').split('\0');
    const mine: Checkpoint[] = [];
    let lastNumber = 0;
    for (let at = 0; at + 3 < fields.length; at += 4) {
      const number = Number(fields[at]?.slice(fields[at]?.lastIndexOf('/')).slice(1));
      lastNumber = Math.max(lastNumber, number);
      const checkpoint = parseCheckpoint(
        fields[at + 3] ?? '',
        { number, commit: fields[at + 1] ?? '', tree: fields[at + 2] ?? '' },
        workTree,
      );
      if (checkpoint) mine.push(checkpoint);
    }
    return { mine: mine.sort((a, b) => a.number - b.number), lastNumber };
  };

  return {
    list: async () => (await readAll()).mine,
    async add({ tree, ...told }) {
      const { mine, lastNumber } = await readAll();
      const body = JSON.stringify({ ...told, created_at: new Date().toISOString(), work_tree: workTree });
      const commit = (await git.run(['commit-tree', tree, '-F', '-'], { input: `shannon-dash checkpoint\n\n${body}\n` }))
        .toString('latin1')
        .trim();
      const number = await claimNumber(git, folder, commit, lastNumber);
      const old = mine.slice(0, Math.max(0, mine.length + 1 - KEPT_CHECKPOINTS));
      if (old.length > 0) {
        const input = old.map((gone) => `delete ${folder}/${gone.number}\0${gone.commit}\0`).join('');
        // The checkpoint is kept already. Where git is busy with its refs the old ones go next time.
        await git.run(['update-ref', '--stdin', '-z'], { input }).catch(() => {});
      }
      return parseCheckpoint(body, { number, commit, tree }, workTree) as Checkpoint;
    },
  };
}

/** Makes the next free ref. Another process of the same session may take a number first: then the one after it. */
async function claimNumber(git: Git, folder: string, commit: string, lastNumber: number): Promise<number> {
  for (let number = lastNumber + 1; ; number++) {
    try {
      await git.run(['update-ref', `${folder}/${number}`, commit, '0'.repeat(commit.length)]);
      return number;
    } catch (error) {
      if (!(error instanceof GitError) || !error.message.includes('already exists') || number > lastNumber + 1_000) throw error;
    }
  }
}

function parseCheckpoint(body: string, place: { number: number; commit: string; tree: string }, workTree: string): Checkpoint | undefined {
  try {
    const { work_tree: madeIn, ...told } = JSON.parse(body) as Omit<Checkpoint, 'number' | 'commit' | 'tree'> & { work_tree?: string };
    return madeIn === workTree && typeof told.checkpoint_id === 'string' ? { ...told, ...place } : undefined;
  } catch {
    // A ref that somebody else put there.
    return undefined;
  }
}

/** A part of a ref's name for any session id: different ids give different names. `.` and `:` have meanings in refs; `%` has none. */
function refPart(sessionId: string): string {
  const safe = Buffer.from(sessionId)
    .toString('latin1')
    .replace(/[^A-Za-z0-9_-]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  // Refs are file names, which end at 255 bytes.
  return safe.length > 0 && safe.length <= 200 ? safe : `%${createHash('sha256').update(sessionId).digest('hex')}`;
}
