import type { KeyedMutex } from '../keyed-mutex.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { CommandDeadlines } from './command-deadlines.ts';
import type { CommandHistory } from './command-history.ts';
import type { CommandWaiters } from './command-waiters.ts';
import type { Orchestrators } from './attachment/orchestrators.ts';
import type { StateWriter } from './state-writer.ts';

/** The parts that the classes of the ledger share. */
export interface LedgerParts {
  /** The id of this server in the leases of the journal. */
  serverId: string;
  store: SessionStore;
  writer: StateWriter;
  /** Keeps the decisions of this server on one session one after the other. */
  mutex: KeyedMutex;
  orchestrators: Orchestrators;
  history: CommandHistory;
  deadlines: CommandDeadlines;
  waiters: CommandWaiters;
  onProblem: (error: unknown) => void;
}
