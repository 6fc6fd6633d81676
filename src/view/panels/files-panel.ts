import type { FileState, SessionState } from '../../core/protocol/session-state.ts';
import type { Tone } from '../cells.ts';
import { count, counted, durationSince } from '../text/numbers.ts';
import type { PanelItem, PanelList } from './panel.ts';
import { shown } from '../text/shown-text.ts';

const changes: Record<FileState['change'], { letter: string; tone: Tone }> = {
  created: { letter: 'A', tone: 'good' },
  modified: { letter: 'M', tone: 'active' },
  deleted: { letter: 'D', tone: 'bad' },
};

/** The files of a session, those that changed last first. */
export function filesPanel(state: SessionState): PanelList {
  // The newest first; among files with the same time, the one whose event came last.
  const files = state.files.toReversed().toSorted((a, b) => Number(a.updated_at < b.updated_at) - Number(a.updated_at > b.updated_at));
  const total = files.length + state.let_go.files;
  const added = files.reduce((sum, file) => sum + file.lines_added, 0);
  const removed = files.reduce((sum, file) => sum + file.lines_removed, 0);
  return {
    title: total === 0 ? 'Files' : `Files ${count(total)}`,
    items: files.map(fileItem),
    empty: 'none; files that change show here',
    summary:
      total === 0
        ? []
        : [{ text: `${added + removed === 0 ? '' : `+${count(added)} -${count(removed)}  `}last: ${shown(files[0]?.path ?? '')}` }],
    letGo: state.let_go.files,
  };
}

/** Whether the producer of the events counted the lines: some do not. */
function isCounted(file: FileState): boolean {
  return file.lines_added + file.lines_removed > 0;
}

function fileItem(file: FileState): PanelItem {
  const { letter, tone } = changes[file.change];
  const path = shown(file.path);
  return {
    key: file.path,
    cells: () => [
      { text: letter, width: 1, tone },
      { text: path, cut: 'start' },
      { text: isCounted(file) ? `+${file.lines_added}` : '', width: 6, align: 'right', tone: 'good', optional: true },
      { text: isCounted(file) ? `-${file.lines_removed}` : '', width: 6, align: 'right', tone: 'bad', optional: true },
      { text: shown(file.agent_id ?? ''), width: 11, optional: true },
    ],
    detail: (style) => [
      ['file', path],
      ['change', file.change],
      ['lines', isCounted(file) ? `+${count(file.lines_added)} -${count(file.lines_removed)}` : ''],
      ['touched', counted(file.changes, 'time')],
      ['agent', shown(file.agent_id ?? '')],
      ['last', `${durationSince(file.updated_at, style.nowMs)} ago`],
    ],
    copy: path,
    lastEvent: { types: 'file:created,file:modified,file:deleted', isOne: (data) => (data['path'] ?? data['file_path']) === file.path },
  };
}
