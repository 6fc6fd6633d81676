import { callApi } from '../../../client/sessions-api.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { type Checkpoint, createCheckpointRefs, storedBytes } from '../../../run/checkpoints/checkpoint-refs.ts';
import { isOutdated, removeStored, type StoredSession, storedSessions } from '../../../run/checkpoints/checkpoint-store.ts';
import { type Git, NoCheckpointsError, openGit, openStoredGit } from '../../../run/git/git-command.ts';
import { readLiveRuns } from '../../../run/live-runs.ts';
import type { Invocation } from '../../invocation.ts';
import type { Settings } from '../../settings/settings.ts';
import { tableLines } from '../../terminal/table.ts';
import { userFolders } from '../../settings/user-folders.ts';

const askMs = 2_000;
const answerChars = 10_000;

/** `checkpoint --list`: the checkpoints kept of this work tree, or of a session; outside of a work tree all. */
export async function listKept({ options, settings, output }: Invocation<object>): Promise<void> {
  const sessions = await chosen(settings, options);
  const listed: (Checkpoint & { stored: StoredSession })[] = [];
  const sizes: { session_id: string; root: string; bytes: number }[] = [];
  for (const stored of sessions) {
    const store = openStoredGit(stored.folder);
    listed.push(...(await createCheckpointRefs(store).list()).map((each) => ({ ...each, stored })));
    sizes.push({ session_id: stored.session, root: stored.root, bytes: await storedBytes(store) });
  }
  if (output.isJson) {
    const checkpoints = listed.map(({ stored, checkpoint_id, kind, label, files, created_at }) => ({
      session_id: stored.session,
      root: stored.root,
      checkpoint_id,
      kind,
      label,
      files,
      created_at,
    }));
    output.document({ ok: true, checkpoints, sessions: sizes });
    return;
  }
  if (listed.length === 0) {
    output.note('no checkpoints are kept here');
    return;
  }
  const rows = listed.map(({ stored, checkpoint_id, kind, files, created_at, label }) => [
    safeLine(stored.session, 40),
    safeLine(checkpoint_id, 40),
    kind,
    created_at.slice(0, 19).replace('T', ' '),
    String(files),
    safeLine(label ?? '-', 60),
  ]);
  for (const line of await tableLines(['SESSION', 'CHECKPOINT', 'KIND', 'MADE (UTC)', 'FILES', 'LABEL'], rows, output)) output.line(line);
  for (const { session_id, root, bytes } of sizes)
    output.note(`${safeLine(session_id, 40)}: ${Math.ceil(bytes / 1_048_576)} MB, of ${safeLine(root, 200)}`);
}

/** `checkpoint --prune`: removes the checkpoints of a session, or of all sessions that are gone; never of one that runs. */
export async function pruneKept({ options, settings, output }: Invocation<object>): Promise<void> {
  const named = sessionOf(options);
  const live = await readLiveRuns(userFolders().state);
  const removed: StoredSession[] = [];
  for (const stored of await storedSessions(userFolders().state)) {
    const isLive = live.some(({ session, root }) => session === stored.session && root === stored.root);
    const isMeant = named === undefined ? isOutdated(stored) || (await isForgotten(stored, settings)) : stored.session === named;
    if (isMeant && isLive) output.note(`${safeLine(stored.session, 40)} runs: its checkpoints stay`);
    if (!isMeant || isLive) continue;
    await removeStored(stored.folder);
    removed.push(stored);
  }
  const refs = await removeFormerRefs();
  if (output.isJson) {
    output.document({ ok: true, removed: removed.map(({ session, root }) => ({ session_id: session, root })), removed_refs: refs });
    return;
  }
  for (const { session, root } of removed) output.line(`removed the checkpoints of ${safeLine(session, 40)} in ${safeLine(root, 200)}`);
  if (refs > 0) output.line(`removed ${refs} refs below refs/shannon-dash/, where former versions kept checkpoints`);
  if (removed.length === 0 && refs === 0) output.note('nothing to remove');
}

/** Removes the checkpoints of sessions that this server no longer knows; not of sessions that run, nor of `ownSession`. */
export async function removeForgotten(settings: Settings, ownSession: string): Promise<void> {
  const { state } = userFolders();
  const live = await readLiveRuns(state);
  for (const stored of await storedSessions(state)) {
    const isInUse = stored.session === ownSession || live.some(({ session }) => session === stored.session);
    if (!isInUse && (await isForgotten(stored, settings))) await removeStored(stored.folder);
  }
}

async function chosen(settings: Settings, options: object): Promise<StoredSession[]> {
  const all = await storedSessions(userFolders().state);
  const named = sessionOf(options);
  if (named !== undefined) return all.filter(({ session }) => session === named);
  const git = await workTree();
  return git === undefined ? all : all.filter(({ root }) => root === git.root);
}

/** The session of the flag alone: a session that a variable names must not be removed by it. */
function sessionOf(options: object): string | undefined {
  return (options as { session?: string }).session;
}

async function workTree(): Promise<Git | undefined> {
  try {
    return await openGit(process.cwd());
  } catch (error) {
    if (error instanceof NoCheckpointsError) return undefined;
    throw error;
  }
}

/** Whether the session's server no longer knows it. Only the server of the settings is asked. */
async function isForgotten({ session, url }: StoredSession, { url: ours, token }: Settings): Promise<boolean> {
  if (url !== ours) return false;
  try {
    await callApi('session', { path: { id: session } }, { url, token, timeoutMs: askMs, maxChars: answerChars });
    return false;
  } catch (error) {
    // Any other error: no server is there to say so.
    return error instanceof ShannonDashError && error.code === 'NOT_FOUND';
  }
}

/** Former versions kept checkpoints in the repository itself, from where they leave with `git push --mirror`. */
async function removeFormerRefs(): Promise<number> {
  const git = await workTree();
  if (git === undefined) return 0;
  const refs = (await git.run(['for-each-ref', '--format=%(refname)', 'refs/shannon-dash/'])).toString('utf8').split('\n').filter(Boolean);
  if (refs.length > 0) await git.run(['update-ref', '--stdin', '-z'], { input: refs.map((ref) => `delete ${ref}\0\0`).join('') });
  return refs.length;
}
