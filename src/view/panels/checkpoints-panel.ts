import type { CheckpointState, SessionState } from '../../core/protocol/session-state.ts';
import { counted, durationSince, timeOfDay } from '../text/numbers.ts';
import { shown } from '../text/shown-text.ts';
import type { PanelItem, PanelList } from './panel.ts';

/** The checkpoints of a session, the newest first. */
export function checkpointsPanel({ checkpoints, let_go }: SessionState): PanelList {
  const newest = checkpoints.at(-1);
  const total = checkpoints.length + let_go.checkpoints;
  return {
    title: total === 0 ? 'Checkpoints' : `Checkpoints ${total}`,
    items: checkpoints.toReversed().map(checkpointItem),
    empty: 'none; saved states show here',
    summary: newest === undefined ? [] : [{ text: `last: ${nameOf(newest)}` }],
    letGo: let_go.checkpoints,
  };
}

function nameOf({ label, checkpoint_id }: CheckpointState): string {
  return shown(label ?? checkpoint_id);
}

function checkpointItem(checkpoint: CheckpointState): PanelItem {
  const { checkpoint_id, step, files, created_at, seq } = checkpoint;
  return {
    key: `${seq}`,
    cells: (style) => [
      { text: nameOf(checkpoint) },
      { text: files === null ? '' : counted(files, 'file'), width: 9, align: 'right', optional: true },
      { text: `${durationSince(created_at, style.nowMs)} ago`, width: 10, align: 'right' },
    ],
    detail: () => [
      ['checkpoint', shown(checkpoint_id)],
      ['label', shown(checkpoint.label ?? '')],
      ['step', step === null ? '' : `${step}`],
      ['files', files === null ? '' : `${files}`],
      ['saved', timeOfDay(Date.parse(created_at))],
      ['event', `${seq}`],
    ],
    copy: shown(checkpoint_id),
  };
}
