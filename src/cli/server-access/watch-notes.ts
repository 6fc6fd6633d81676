import type { WatchUpdate } from '../../client/watcher/watcher-contract.ts';
import { shownDuration } from '../settings/duration.ts';
import type { Output } from '../terminal/output.ts';

/** Says on stderr what happens to the connection of a watcher and to the history. @param isOfAll it watches all sessions */
export function watchNotes(output: Output, isOfAll = false): (update: WatchUpdate) => void {
  let lostAt: number | undefined;
  return (update) => {
    if (update.kind === 'gap')
      output.warn(
        `events of ${update.gap.session_id} are missed: ${update.gap.reason === 'epoch' ? 'it has another history now' : `the journal begins at ${update.gap.first_available}`}`,
      );
    if (update.kind === 'deleted') output.note(`${update.session_id} was deleted`);
    if (update.kind !== 'connection') return;
    const { status, error } = update.connection;
    if (status === 'reconnecting' && lostAt === undefined) {
      lostAt = Date.now();
      output.note(`reconnecting (${error ?? 'connection lost'})`);
    }
    if (status === 'live' && lostAt !== undefined) {
      const missed = isOfAll ? '; what happened meanwhile: shannon-dash watch SESSION --since SEQ' : '';
      output.note(`connected again after ${shownDuration(Date.now() - lostAt)}${missed}`);
      lostAt = undefined;
    }
  };
}
