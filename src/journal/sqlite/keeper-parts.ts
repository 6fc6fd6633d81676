import type { ProblemFeed } from '../problem-feed.ts';
import type { CommitLog } from './commit-log.ts';
import type { SqliteDatabase } from './database/sqlite-database.ts';
import type { NewestEvents } from './newest-events.ts';
import type { WriteBack } from './write-back.ts';

/** What a journal that is open is made of. */
export interface KeeperParts {
  path: string;
  database: SqliteDatabase;
  log: CommitLog;
  writes: WriteBack;
  sessions: Map<string, NewestEvents>;
  problems: ProblemFeed;
  /** Gives up the claim to the file. */
  release: () => void;
}
