import { randomBytes } from 'node:crypto';
import { readEnvironment } from '../../../client/environment.ts';
import type { Watcher } from '../../../client/watcher/watcher-contract.ts';
import { errorTextOf } from '../../../core/fold/fold-values.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { Failure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { chooseSession } from '../../server-access/live-sessions.ts';
import { publishOne } from '../../server-access/publishing.ts';
import type { Settings } from '../../settings/settings.ts';
import type { CheckpointOptions } from './definition.ts';

const savedMs = 30_000;

/** Makes a checkpoint, or lists or removes the files that are kept of former ones. */
export async function checkpoint(invocation: Invocation<CheckpointOptions>): Promise<void> {
  const { list, prune } = invocation.options;
  if (list !== true && prune !== true) return makeCheckpoint(invocation);
  const { listKept, pruneKept } = await import('./kept-checkpoints.ts');
  return list === true ? listKept(invocation) : pruneKept(invocation);
}

async function makeCheckpoint({ options, settings, output }: Invocation<CheckpointOptions>): Promise<void> {
  const session = await chooseSession(settings);
  const id = options.id ?? `c-${randomBytes(4).toString('hex')}`;
  const { checkpoints, checkpointKey } = readEnvironment();
  const saving = checkpoints === 'git' ? await watchSavings(settings, session) : undefined;
  try {
    // The same each time: the same event again is harmless, another one of its id is a conflict.
    const proof = saving === undefined || checkpointKey === undefined ? {} : { proof: await proofOf(checkpointKey, id) };
    const data = { checkpoint_id: id, ...(options.label === undefined ? {} : { label: options.label }), ...proof };
    await publishOne(settings, session, { type: 'checkpoint:created', data, id: `checkpoint:${id}` }, output);
    const told = saving === undefined ? {} : await saved(saving, id, settings.timeoutMs ?? savedMs);
    const notKept = Array.isArray(told['not_kept']) ? told['not_kept'].map(String) : [];
    for (const each of notKept) output.note(safeLine(each, 500));
    const more = Number(told['not_kept_count'] ?? 0) - notKept.length;
    if (more > 0) output.note(`and ${more} more are not kept`);
    const result = { ok: true, session_id: session, checkpoint_id: id, saved: saving !== undefined };
    if (output.isJson) output.document(notKept.length === 0 ? result : { ...result, not_kept: notKept });
    else output.line(safeLine(id));
  } finally {
    await saving?.close();
  }
}

/** From the beginning, since the same id may have been saved long ago; watched first, so that nothing is missed. */
async function watchSavings(settings: Settings, session: string): Promise<Watcher> {
  const [{ connectWatcher }, { connecting }] = await Promise.all([
    import('../../../client/watcher/watcher.ts'),
    import('../../server-access/connecting.ts'),
  ]);
  const eventTypes = ['checkpoint:saved', 'checkpoint:failed'];
  return connecting(settings, (connect) => connectWatcher({ ...connect, session, after: 'start', eventTypes }));
}

async function proofOf(key: string, id: string): Promise<string> {
  const { checkpointProof } = await import('../../../client/orchestrator/checkpoint-proof.ts');
  return checkpointProof(key, id, 'command-line');
}

/**
 * @returns the `data` of the event that says so
 * @throws Failure it could not be saved, or no event has said in time that it is
 */
async function saved(watcher: Watcher, id: string, timeoutMs: number): Promise<Record<string, unknown>> {
  const timer = setTimeout(() => void watcher.close(), timeoutMs);
  try {
    for await (const { type, data } of watcher) {
      if (data['checkpoint_id'] !== id) continue;
      if (type === 'checkpoint:saved') return data;
      throw new Failure('INTERNAL', `checkpoint ${id} was not saved: ${errorTextOf(data, 'error') ?? 'no reason was given'}`, {
        hints: ['mend that, and try again with another --id'],
      });
    }
    throw new Failure('TIMEOUT', `nobody has said in ${timeoutMs / 1_000}s that checkpoint ${id} is saved`, {
      hints: ['look: shannon-dash watch --tail 20 --plain'],
    });
  } finally {
    clearTimeout(timer);
  }
}
