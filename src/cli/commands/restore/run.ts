import { openGitCheckpoints, type GitCheckpoints } from '../../../run/checkpoints/git-checkpoints.ts';
import { storedSessions, type StoredSession } from '../../../run/checkpoints/checkpoint-store.ts';
import { describeRun, readLiveRuns } from '../../../run/live-runs.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { previewLines } from '../../../view/rollback-preview.ts';
import { ambiguousSession, Failure, usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { userFolders } from '../../settings/user-folders.ts';
import { canAsk, confirm } from '../../terminal/confirm.ts';
import { filesOfJournal } from '../serve/journal-file.ts';
import type { RestoreCommandOptions } from './definition.ts';

/** Rolls a work tree back to a checkpoint of a run that has ended. */
export async function restore({ args: [name = ''], options, settings, output }: Invocation<RestoreCommandOptions>): Promise<void> {
  const { state } = userFolders();
  const stored = chosen(name, await storedSessions(state));
  if (options.dryRun !== true && options.yes !== true && !canAsk(output)) {
    throw usageFailure(
      'restore changes files back; off a terminal it needs --yes',
      `see first what: shannon-dash restore ${name} --dry-run`,
    );
  }
  await refuseWhileRunning(stored, state, options.force === true);
  const { session, root, url } = stored;
  const checkpoints = await openGitCheckpoints({
    cwd: root,
    sessionId: session,
    stateFolder: state,
    url,
    leftOut: filesOfJournal(settings.journal),
  });
  try {
    const id = await target(checkpoints, options, session);
    const preview = await checkpoints.preview(id);
    if (options.dryRun === true) {
      if (output.isJson) output.document({ ok: true, dry_run: true, session_id: session, root, ...preview });
      else for (const line of previewLines(preview)) output.line(line);
      return;
    }
    if (options.yes !== true) {
      for (const line of previewLines(preview)) output.note(line);
      await confirm(`Restore ${root} to ${id}?`);
    }
    const result = await checkpoints.restore(id, { force: options.force ?? false });
    if (output.isJson) output.document({ ok: true, session_id: session, root, ...result });
    else
      output.line(
        `restored ${safeLine(root, 300)} to ${safeLine(id, 128)}; undo: shannon-dash restore ${session} --checkpoint ${result.saved_as}`,
      );
  } finally {
    checkpoints.close();
  }
}

/** The kept session that a name stands for; of several work trees the one that this folder is in. @throws Failure */
function chosen(name: string, all: readonly StoredSession[]): StoredSession {
  const exact = all.filter(({ session }) => session === name);
  const found = exact.length > 0 ? exact : all.filter(({ session }) => session.startsWith(name));
  const here = found.filter(({ root }) => `${process.cwd()}/`.startsWith(`${root}/`));
  const [only, ...others] = found.length > 1 && here.length > 0 ? here : found;
  if (only === undefined) {
    throw new Failure('NOT_FOUND', `no checkpoints are kept of a session ${name}`, {
      hints: ['see all: shannon-dash checkpoint --list', 'they are made by: shannon-dash run --checkpoints git -- COMMAND'],
    });
  }
  if (others.length > 0)
    throw ambiguousSession(
      name,
      [only, ...others].map(({ session, root }) => `${session} in ${root}`),
    );
  return only;
}

/** @throws Failure the session itself runs, or another run works in its work tree */
async function refuseWhileRunning({ session, root }: StoredSession, state: string, isForced: boolean): Promise<void> {
  const here = (await readLiveRuns(state)).filter((run) => run.root === root);
  if (here.some((run) => run.session === session)) {
    throw new Failure('CONFLICT', `${session} runs`, { hints: [`roll it back: shannon-dash send ROLLBACK -s ${session}`] });
  }
  if (here.length > 0 && !isForced) {
    throw new Failure('CONFLICT', `${here.map(describeRun).join('; ')}; its files would be turned back too`, {
      hints: ['all the same: --force'],
    });
  }
}

/** @throws Failure there is no such checkpoint */
async function target(checkpoints: GitCheckpoints, { checkpoint }: RestoreCommandOptions, session: string): Promise<string> {
  try {
    const { checkpoint_id } = await checkpoints.resolve(checkpoint === undefined ? { steps: 1 } : { checkpointId: checkpoint });
    return checkpoint_id;
  } catch (error) {
    throw new Failure('NOT_FOUND', error instanceof Error ? error.message : String(error), {
      hints: [`what is kept: shannon-dash checkpoint --list -s ${session}`],
      cause: error,
    });
  }
}
