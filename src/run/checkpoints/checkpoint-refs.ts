import { z } from 'zod';

import { GitError, type GitRepository } from '../git/git-command.ts';

/** A checkpoint, as read from its commit and ref. */
export interface Checkpoint {
  readonly checkpoint_id: string;
  /** Counts up within the session; the order of checkpoints. */
  readonly number: number;
  /** `start` is the first of a run; `foreign` ones were announced by another client than the program; `before-rollback` ones are made by a
   * rollback, so that it can be rolled back itself. */
  readonly kind: CheckpointKind;
  readonly label?: string | undefined;
  readonly commit: string;
  /** The files. */
  readonly tree: string;
  /** The stored `CheckpointDetail`. */
  readonly detail: string;
  /** How many files it holds. */
  readonly files: number;
  /** ISO 8601. */
  readonly created_at: string;
  /** The commit of HEAD at that time; null when there was none yet. */
  readonly head: string | null;
  /** Digest of the staged files at that time. */
  readonly index_digest: string;
}

export type CheckpointKind = (typeof kinds)[number];

/** The checkpoints of one session in one work tree, each a commit with a ref, in a repository for checkpoints. */
export interface CheckpointRefs {
  /** All of them, the newest last. */
  list(): Promise<Checkpoint[]>;
  /** Adds a tree as the newest checkpoint and removes old ones beyond the limits, but never the `start` of the current run. */
  add(checkpoint: NewCheckpoint): Promise<Checkpoint>;
}

/** The fields that the caller sets. `add` sets the others. */
type NewCheckpoint = Pick<Checkpoint, 'checkpoint_id' | 'kind' | 'label' | 'tree' | 'detail' | 'files' | 'head' | 'index_digest'>;

const kinds = ['start', 'checkpoint', 'foreign', 'before-rollback'] as const;
const keptCheckpoints = 200;
/** The most checkpoints that other clients than the program announced. */
const keptForeign = 20;
/** The most disk space for the contents of one session. */
const keptBytes = 1024 * 1024 * 1024;
/** Unused objects are removed after this many removed checkpoints. */
const pruneEvery = 20;
const folder = 'refs/checkpoints';

const storedCheckpoint = z.object({
  checkpoint_id: z.string(),
  kind: z.enum(kinds),
  label: z.string().optional(),
  tree: z.string().regex(/^[0-9a-f]{40,64}$/),
  detail: z.string().regex(/^[0-9a-f]{40,64}$/),
  files: z.number(),
  created_at: z.string(),
  head: z.string().nullable(),
  index_digest: z.string(),
});

/** Opens the checkpoints in a repository. Nothing is read before the first call. */
export function createCheckpointRefs(store: GitRepository): CheckpointRefs {
  let letGo = 0;

  const list = async (): Promise<Checkpoint[]> => {
    const format = ['%(refname)', '%(objectname)', '%(contents:body)', ''].join('%00');
    const fields = (await store.run(['for-each-ref', `--format=${format}`, `${folder}/`])).toString('utf8').split('\0');
    const all: Checkpoint[] = [];
    for (let at = 0; at + 2 < fields.length; at += 3) {
      const number = Number(fields[at]?.slice(fields[at]?.lastIndexOf('/')).slice(1));
      const checkpoint = parseCheckpoint(fields[at + 2] ?? '', { number, commit: fields[at + 1] ?? '' });
      if (checkpoint && Number.isSafeInteger(number)) all.push(checkpoint);
    }
    return all.sort((a, b) => a.number - b.number);
  };

  const remove = async (gone: readonly Checkpoint[], isPruning: boolean): Promise<void> => {
    if (gone.length === 0) return;
    const input = gone.map(({ number, commit }) => `delete ${folder}/${number}\0${commit}\0`).join('');
    await store.run(['update-ref', '--stdin', '-z'], { input });
    letGo += gone.length;
    if (!isPruning && letGo < pruneEvery) return;
    letGo = 0;
    // Objects of a checkpoint that is being made have no ref yet. They are younger than this.
    await store.run(['prune', '--expire=10.minutes.ago']);
  };

  return {
    list,
    async add(told) {
      const all = await list();
      const contents = `040000 tree ${told.tree}\tfiles\n100644 blob ${told.detail}\tdetail\n`;
      const top = (await store.run(['mktree', '--missing'], { input: contents })).toString('latin1').trim();
      const body = JSON.stringify({ ...told, created_at: new Date().toISOString() });
      const commit = (await store.run(['commit-tree', top, '-F', '-'], { input: `shannon-dash checkpoint\n\n${body}\n` }))
        .toString('latin1')
        .trim();
      const number = await claimNumber(store, commit, all.at(-1)?.number ?? 0);
      const added = { ...told, ...parseCheckpoint(body, { number, commit }) } as Checkpoint;
      // The new checkpoint is stored already. When another git holds the refs, old ones are removed next time.
      await removeOld(store, [...all, added], remove).catch(() => {});
      return added;
    },
  };
}

async function removeOld(
  store: GitRepository,
  all: readonly Checkpoint[],
  remove: (gone: readonly Checkpoint[], isPruning: boolean) => Promise<void>,
): Promise<void> {
  const start = all.findLast(({ kind }) => kind === 'start');
  const newest = all.at(-1);
  const mayGo = all.filter((each) => each !== start && each !== newest);
  const foreign = mayGo.filter(({ kind }) => kind === 'foreign');
  const tooForeign = new Set(foreign.slice(0, Math.max(0, foreign.length + Number(newest?.kind === 'foreign') - keptForeign)));
  const others = mayGo.filter((each) => !tooForeign.has(each));
  const tooMany = others.slice(0, Math.max(0, others.length + all.length - mayGo.length - keptCheckpoints));
  await remove([...tooForeign, ...tooMany], false);
  let left = others.slice(tooMany.length);
  while (left.length > 0 && (await storedBytes(store)) > keptBytes) {
    const oldest = Math.ceil(left.length / 4);
    await remove(left.slice(0, oldest), true);
    left = left.slice(oldest);
  }
}

/** The disk space that the objects of a repository take. */
export async function storedBytes(store: GitRepository): Promise<number> {
  const counts = (await store.run(['count-objects', '-v'])).toString('latin1');
  const kib = ['size', 'size-pack'].map((field) => Number(new RegExp(`^${field}: (\\d+)$`, 'm').exec(counts)?.[1] ?? 0));
  return kib.reduce((sum, each) => sum + each, 0) * 1024;
}

/** Creates the next free ref. When another process of the session takes the number first, the next number is tried. */
async function claimNumber(store: GitRepository, commit: string, lastNumber: number): Promise<number> {
  for (let number = lastNumber + 1; ; number++) {
    try {
      await store.run(['update-ref', `${folder}/${number}`, commit, '0'.repeat(commit.length)]);
      return number;
    } catch (error) {
      if (!(error instanceof GitError) || !error.message.includes('already exists') || number > lastNumber + 1_000) throw error;
    }
  }
}

function parseCheckpoint(body: string, place: { number: number; commit: string }): Checkpoint | undefined {
  try {
    const { success, data } = storedCheckpoint.safeParse(JSON.parse(body));
    return success ? { ...data, ...place } : undefined;
  } catch {
    // Another program created this ref.
    return undefined;
  }
}
