import { randomBytes } from 'node:crypto';
import type { Watcher } from '../../client/watcher.ts';
import { errorTextOf } from '../../core/fold-values.ts';
import { Failure } from '../failure.ts';
import { option, type Invocation, type Program } from '../program.ts';
import type { Settings } from '../settings.ts';

interface CheckpointOptions {
  label?: string;
  id?: string;
}

const savedMs = 30_000;

/** `checkpoint`: a place to roll back to. */
export function registerCheckpoint(program: Program): void {
  program.add<CheckpointOptions>({
    usage: 'checkpoint',
    summary: 'Make a place to roll back to, and print its id',
    examples: ['checkpoint --label "before migration"', 'send ROLLBACK --checkpoint "$(shannon-dash checkpoint)" --dry-run'],
    options: [
      option('--label <text>', 'what it is'),
      option('--id <id>', 'its id (one is made)'),
      option('-s, --session <id>', 'the session (default: the only live one)'),
    ],
    notes: ['', 'Under run --checkpoints git it is done when the files are saved (at most 30 s).'],
    run: checkpoint,
  });
}

async function checkpoint({ options, settings, output }: Invocation<CheckpointOptions>): Promise<void> {
  const [{ publishOne }, { chooseSession }, { readEnvironment }, { safeLine }] = await Promise.all([
    import('../publishing.ts'),
    import('../live-sessions.ts'),
    import('../../client/environment.ts'),
    import('../../core/safe-text.ts'),
  ]);
  const session = await chooseSession(settings);
  const id = options.id ?? `c-${randomBytes(4).toString('hex')}`;
  const saving = readEnvironment().checkpoints === 'git' ? await watchSavings(settings, session) : undefined;
  try {
    const data = { checkpoint_id: id, ...(options.label === undefined ? {} : { label: options.label }) };
    await publishOne(settings, session, { type: 'checkpoint:created', data, id: `checkpoint:${id}` });
    if (saving !== undefined) await saved(saving, id, settings.timeoutMs ?? savedMs);
    if (output.isJson) output.document({ ok: true, session_id: session, checkpoint_id: id, saved: saving !== undefined });
    else output.line(safeLine(id));
  } finally {
    await saving?.close();
  }
}

/** From the beginning, since the same id may have been saved long ago; watched first, so that nothing is missed. */
async function watchSavings(settings: Settings, session: string): Promise<Watcher> {
  const [{ connectWatcher }, { connecting }] = await Promise.all([import('../../client/watcher.ts'), import('../connecting.ts')]);
  const eventTypes = ['checkpoint:saved', 'checkpoint:failed'];
  return connecting(settings, (connect) => connectWatcher({ ...connect, session, after: 'start', eventTypes }));
}

/** @throws Failure it could not be saved, or nobody has said so in time */
async function saved(watcher: Watcher, id: string, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => void watcher.close(), timeoutMs);
  try {
    for await (const { type, data } of watcher) {
      if (data['checkpoint_id'] !== id) continue;
      if (type === 'checkpoint:saved') return;
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
