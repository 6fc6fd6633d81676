import { ShannonDashError } from '../../core/protocol/errors.ts';
import { fold, isSettled, readsData } from '../../core/fold/fold.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import type { Journal, SessionHead } from '../../journal/journal.ts';
import { nextTurn } from '../turns.ts';

/** Events folded beyond the last snapshot before a new one is saved: about the most that a load has to fold. */
export const snapshotEvents = 2_500;
const loadEvents = 1_000;
const loadChars = 8 * 1024 * 1024;
/** A state soon has what makes it one that few events change. */
const unsettledEvents = 100;

export interface FoldedHistory {
  journal: Journal;
  /** Where the session stands. */
  head: SessionHead;
  /** Whether it is there still. */
  isThere: () => boolean;
  /** Whether the server stops: what takes long is given up. */
  isStopping: () => boolean;
  /** Saves a state on the way: who asks for one in this part of the history again finds it. */
  save: (state: SessionState) => Promise<void>;
}

/** Retention has taken events that were still to be folded. */
class HistoryCut extends Error {}

/** A fold was given up, as the server stops: the next one goes on with it. */
export class FoldGivenUp extends ShannonDashError {
  constructor() {
    super('UNAVAILABLE', 'The server is stopping');
  }
}

/**
 * Folds a history on from a state, piece by piece. Events of whose data the state takes nothing are not even read, but for the last:
 * most of a long history is a program's output.
 * @throws HistoryCut; ShannonDashError JOURNAL_FAILED the history is not whole; FoldGivenUp
 */
export async function foldHistory(from: SessionState, through: number, history: FoldedHistory): Promise<SessionState> {
  const { journal, head, isThere, isStopping, save } = history;
  const { session_id } = head;
  let state = from;
  let snapshotSeq = from.seq;
  let saving = Promise.resolve();
  const take = async (after: number, isWhole: boolean): Promise<number> => {
    const limit = isWhole ? unsettledEvents : loadEvents;
    const range = { after, limit, maxChars: loadChars, through, ...(isWhole ? {} : { filter: readsData }) };
    const events = await journal.read(session_id, range);
    if ((head.cut ?? 0) > after) throw new HistoryCut();
    let chars = 0;
    for (const { event, json } of events) {
      if (event.seq <= state.seq || (isWhole && event.seq !== after + 1)) {
        throw new ShannonDashError('JOURNAL_FAILED', `The journal gives event ${event.seq} of ${session_id} behind event ${state.seq}`);
      }
      state = fold(state, event);
      after = event.seq;
      chars += json.length;
      if (!isWhole && !isSettled(state)) return after;
    }
    // With fewer than there was room for, all that matters of the rest is known.
    return !isWhole && events.length < limit && chars < loadChars ? through - 1 : after;
  };
  while (state.seq < through) {
    // A long history is read and folded by and by.
    if (state !== from) await nextTurn();
    if (state !== from && isStopping()) throw new FoldGivenUp();
    if (state.seq - snapshotSeq >= snapshotEvents) {
      snapshotSeq = state.seq;
      await saving;
      saving = save(state);
    }
    const before = state.seq;
    const at = isSettled(state) ? await take(before, false) : before;
    if (state.seq < through && (at === through - 1 || at === before)) await take(at, true);
    if (state.seq > before) continue;
    // Deleted meanwhile, or asked for beyond its newest event; else the journal breaks its word, and asking again changes nothing.
    if (!isThere() || before >= head.seq) break;
    throw new ShannonDashError('JOURNAL_FAILED', `The journal has the events of ${session_id} through ${before} only, of ${head.seq}`);
  }
  await saving;
  return state;
}

/** Folds again, from the state that retention has left, where it has taken events meanwhile. */
export async function untilWhole<Result>(fold: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await fold();
    } catch (error) {
      if (!(error instanceof HistoryCut)) throw error;
    }
  }
}

/** What is said of events that retention has taken away. */
export function goneThrough({ session_id, cut = 0 }: SessionHead): ShannonDashError {
  const sentence = `Retention has taken the events of ${session_id} through ${cut}: its earliest state is the one at event ${cut}`;
  return new ShannonDashError('GONE', sentence, { first_available: cut + 1 });
}
