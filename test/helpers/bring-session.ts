import type { SessionEvent } from '../../src/core/protocol/event.ts';
import type { SessionOrigin } from '../../src/core/protocol/session-state.ts';
import type { Journal } from '../../src/journal/journal.ts';

/** Puts a whole history into a journal, with the times that it says, as a session like any other. */
export async function bring(journal: Journal, origin: SessionOrigin, events: readonly SessionEvent[]): Promise<void> {
  const bringing = await journal.beginImport(origin, 'brought');
  await bringing.add(events);
  await bringing.finish();
}
