import type { Connection } from '../connection/connection.ts';
import { SessionWatcher } from '../watcher/session-watcher.ts';
import type { CheckpointDesk } from './checkpoint-desk.ts';
import type { DecisionDesk } from './decision-desk.ts';

/** Subscribes to what the session says of decisions and snapshots, for those who wait for it. */
export function listenToAnswers(
  connection: Connection,
  session: string,
  { desk, checkpoints }: { desk: DecisionDesk; checkpoints: CheckpointDesk },
): SessionWatcher {
  const watcher = new SessionWatcher(connection, {
    session,
    eventTypes: ['decision:made', 'checkpoint:saved', 'checkpoint:failed'],
    ownsConnection: false,
  });
  watcher.onUpdate((update) => {
    if (update.kind === 'state') desk.learn(update.state.decisions);
    if (update.kind !== 'events') return;
    for (const { type, data } of update.events) {
      if (type === 'decision:made') desk.made(data);
      else checkpoints.ended(type, data);
    }
  });
  return watcher;
}
