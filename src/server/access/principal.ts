/** What a principal may do: the table of `may` says it for each role. */
export type Role = 'operator';

/** The caller behind a request, as the server has authenticated it. */
export interface Principal {
  readonly role: Role;
  /** Globs over the ids of the sessions that it may reach; `*` is every session. */
  readonly sessions: readonly string[];
  /** Written into each event that it publishes, as `source`. */
  readonly source: string | undefined;
  /** Written into each command that it sends, as `by`. */
  readonly by: string;
}

const everySession = ['*'] as const;

/**
 * The principal that may do everything. The server knows no tokens yet, so every caller is this one. All that it knows
 * of the caller is the name that the caller gives itself.
 * @param name the name that the caller gives itself, if it gives one
 * @param unnamed what stands in the ledger for a caller without a name
 */
export function unrestricted(name: string | undefined, unnamed: string): Principal {
  return { role: 'operator', sessions: everySession, source: name, by: name ?? unnamed };
}
