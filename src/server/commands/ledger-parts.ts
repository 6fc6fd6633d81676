import type { KeyedMutex } from '../keyed-mutex.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { CommandDeadlines } from './command-deadlines.ts';
import type { CommandHistory } from './command-history.ts';
import type { CommandWaiters } from './command-waiters.ts';
import type { Orchestrators } from './attachment/orchestrators.ts';
import type { StateWriter } from './state-writer.ts';

/** What the parts of the ledger share. */
export interface LedgerParts {
  /** The id of this server in the leases of the journal. */
  serverId: string;
  store: SessionStore;
  writer: StateWriter;
  /** What this server decides on one session, it decides one after the other. */
  mutex: KeyedMutex;
  orchestrators: Orchestrators;
  history: CommandHistory;
  deadlines: CommandDeadlines;
  waiters: CommandWaiters;
  onProblem: (error: unknown) => void;
}
