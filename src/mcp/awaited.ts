import type { ServerCalls } from './server-calls.ts';

/** What is waited for, and how long. */
export interface Wait {
  session: string;
  /** Globs over the types of events after which it is worth looking; none: after every event. */
  types: readonly string[];
  seconds: number;
  /** Of the call that waits. */
  signal: AbortSignal;
}

/**
 * Looks at once, and after each change of a session, until what it sees is as wanted, or the time is over.
 * @returns what it saw last
 * @throws the signal's reason; ShannonDashError
 */
export async function awaited<Seen>(
  calls: ServerCalls,
  { session, types, seconds, signal }: Wait,
  look: () => Promise<Seen>,
  isWanted: (seen: Seen) => boolean,
): Promise<Seen> {
  let seen = await look();
  if (isWanted(seen) || seconds === 0) return seen;
  const end = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000)]);
  // The first turn of the loop looks once more: what came before the session was followed is seen then.
  for await (const _ of calls.changes(session, types, end)) {
    seen = await look();
    if (isWanted(seen)) return seen;
  }
  signal.throwIfAborted();
  return seen;
}
