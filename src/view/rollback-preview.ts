import { isLive, type SessionState } from '../core/protocol/session-state.ts';
import type { Style } from './style.ts';
import { counted, durationSince, timeOfDay } from './text/numbers.ts';
import { shown } from './text/shown-text.ts';
import { recordLines } from './text/record-lines.ts';

const maxLines = 30;

/** Why nothing of a session can be undone, as a sentence; undefined where an orchestrator can be asked what a ROLLBACK would undo. */
export function whyNoRollback({ status, orchestrator }: SessionState): string | undefined {
  if (!isLive(status)) return `${status} already: nothing takes a rollback any more`;
  // Without an orchestrator the command would wait in the queue, and nobody would get the answer.
  return orchestrator?.attached === true ? undefined : 'no program is connected that could undo anything';
}

/** What `run` answers, in words. Other orchestrators' fields stand by their own names. */
const names: ReadonlyMap<string, string> = new Map([
  ['checkpoint_id', 'back to checkpoint'],
  ['restore', 'files that go back'],
  ['restore_count', 'files that go back, in all'],
  ['unchanged_count', 'files that stay as they are'],
  ['cannot_undo', 'what cannot be undone'],
  ['changed_since_stop', 'changed while the program stood still'],
  ['saved_as', 'the files before are kept as'],
  ['saved_files', 'files kept before'],
  ['other_runs', 'other runs that work here'],
]);

/** What a dry run answered, as lines to read before confirming: any JSON, since each orchestrator has its own words. */
export function previewLines(result: unknown): string[] {
  const lines = recordLines(result, names);
  if (lines.length === 0) return ['the program does not say what'];
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines - 1), `... and ${lines.length - maxLines + 1} more lines`];
}

/** The checkpoint that a preview names, so that confirming restores that one and no other. */
export function previewTarget(result: unknown, otherwise: { steps: number }): { checkpoint_id: string } | { steps: number } {
  if (typeof result === 'object' && result !== null && 'checkpoint_id' in result && typeof result.checkpoint_id === 'string') {
    return { checkpoint_id: result.checkpoint_id };
  }
  return otherwise;
}

/** What a session tells of one of its checkpoints: its label, when it was saved, how many files it holds. */
export function checkpointLines(state: SessionState | undefined, checkpointId: string, { nowMs }: Style): string[] {
  const checkpoint = state?.checkpoints.find((each) => each.checkpoint_id === checkpointId);
  if (checkpoint === undefined) return [];
  const { label, created_at, files } = checkpoint;
  const saved = `saved ${durationSince(created_at, nowMs)} ago, at ${timeOfDay(Date.parse(created_at)).slice(0, 8)}`;
  const held = files === null ? '' : `, with ${counted(files, 'file')}`;
  return [`Back to ${shown(checkpointId, 80)}${label === null ? '' : `: ${shown(label, 200)}`}`, `${saved}${held}`];
}
