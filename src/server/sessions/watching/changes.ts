import type { SessionState } from '../../../core/protocol/session-state.ts';
import type { JournalChange } from '../../../journal/journal.ts';

/** A change of the journal that the hub tells as it is. What the feed has missed, the hub reads in the journal. */
export type ToldChange = Exclude<JournalChange, { kind: 'behind' }>;

export type AppendedChange = Extract<JournalChange, { kind: 'appended' }>;

export type SessionChange = Extract<JournalChange, { kind: 'created' | 'deleted' }>;

/** What listeners of the hub are told of. */
export type HubChange =
  | ToldChange
  /** Another server has written to the session. Where nobody here has to do with that, it is told once, and what was written is not. */
  | { kind: 'written'; session_id: string }
  /** A session of which that was not told is where the journal has it. What happened meanwhile is in its state. */
  | { kind: 'caughtUp'; session_id: string };

/** Sees every change after it was folded. */
export type ChangeListener = (change: HubChange, state: SessionState | undefined) => void;
