import type { Fields } from './fields.ts';

/** What knows the sessions: a server, or the journal of one that does not run. */
export interface Source {
  /** Those that changed last first. */
  sessions(): Promise<readonly Fields[]>;
  /** The state of a session; undefined if it is not known. */
  state(session: string): Promise<Fields | undefined>;
  skills(): Promise<readonly Fields[]>;
}
