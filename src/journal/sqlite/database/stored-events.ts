import { receivedAt } from '../../../core/protocol/event.ts';
import type { JournalEvent, SessionHead } from '../../journal.ts';
import { eventFromJson, seqOfServerMadeId } from '../../stamping.ts';
import { databaseSeq, type NewestEvents } from '../newest-events.ts';
import { firstSeqOf, linesOf, lostEvent, placeOf, type ChunkRow } from './chunks.ts';
import { corruptCode, sqliteCodeOf } from './sqlite-codes.ts';
import type { Statements } from './sqlite-statements.ts';

/** Chunks read between two looks at the event loop, so that a rare filter over a long history holds up nobody. */
const scanChunks = 16;
/** Events read forward at a time to be given in reverse: no more, however many of them are lost. */
const mostReversed = 1_000;
const mostToldLosses = 1_000;

type Row = Record<string, string | number | null>;

/** Reads the events that the database has. Everything is done at once and throws SQLite's own errors. */
export class StoredEvents {
  readonly #statements: Statements;
  readonly #onProblem: (sentence: string) => void;
  /** Each loss is told once, however often it is read. */
  readonly #toldLosses = new Set<string>();

  constructor(statements: Statements, onProblem: (sentence: string) => void) {
    this.#statements = statements;
    this.#onProblem = onProblem;
  }

  /**
   * Some of the events after `after`, in order: at least one, where there are any. Those that cannot be read are there as
   * lost ones, so that there is no gap.
   */
  *after(session: NewestEvents, after: number): Generator<JournalEvent> {
    const { key, head } = session;
    const through = databaseSeq(session);
    let next = Math.max(after, head.cut ?? 0) + 1;
    if (next > through) return;
    let rows = 0;
    let lastFirst = 0;
    try {
      for (const row of key === undefined ? [] : this.#chunksAt(key, next)) {
        rows++;
        lastFirst = firstSeqOf(row);
        const lines = linesOf(row);
        if (lines === undefined) continue;
        yield* this.#lost(head, next, lastFirst - 1);
        next = Math.max(next, lastFirst);
        for (const [index, line] of lines.entries()) {
          if (lastFirst + index === next && next <= through) yield eventFromJson(head.session_id, next++, line);
        }
      }
      // Fewer than were asked for: there is nothing behind them. Else at least what lies before the last of them is lost.
      const lostThrough = rows < scanChunks ? through : Math.min(through, lastFirst - 1);
      yield* this.#lost(head, next, lostThrough);
    } catch (error) {
      if (sqliteCodeOf(error) !== corruptCode || key === undefined) throw error;
      yield* this.#lost(head, next, this.#nextReadable(key, next, through) - 1);
    }
  }

  /**
   * Some of the events up to `through`, the newest first: at least one, where there are any. Like `after`, it tells those that
   * cannot be read as lost.
   */
  *before(session: NewestEvents, through: number): Generator<JournalEvent> {
    const last = Math.min(through, databaseSeq(session));
    if (last <= (session.head.cut ?? 0)) return;
    const events: JournalEvent[] = [];
    let at = this.#beginOfChunk(session, last) - 1;
    while (at < last) {
      for (const event of this.after(session, at)) {
        at = event.seq;
        events.push(event);
        if (at >= last) break;
      }
    }
    yield* events.toReversed();
  }

  /** The event with this id; undefined if the tables have none. */
  findById(session: NewestEvents, id: string): JournalEvent | undefined {
    const seq = seqOfServerMadeId(session.head.epoch, id) ?? this.#seqOfId(session, id);
    if (seq === undefined || seq <= (session.head.cut ?? 0)) return undefined;
    const [found] = this.after(session, seq - 1);
    return found?.event.id === id ? found : undefined;
  }

  /** Where a session stands that was read before. @throws its last chunk cannot be found */
  last({ key, head }: NewestEvents): Partial<SessionHead> {
    const [row] = this.#statements.lastChunk.all(placeOf(key ?? 0, 0), placeOf((key ?? 0) + 1, 0)) as unknown as ChunkRow[];
    if (row === undefined) return {};
    const lines = linesOf(row);
    // A line feed is one byte of thousands: most likely it is not that which was damaged.
    const seq = firstSeqOf(row) + (lines ?? row.json.split('\n')).length - 1;
    const last = lines?.at(-1);
    if (last === undefined) this.#onProblem(`Events of ${head.session_id} from ${firstSeqOf(row)} on cannot be read`);
    return last === undefined ? { seq } : { seq, updated_at: receivedAt(eventFromJson(head.session_id, seq, last).event) };
  }

  #chunksAt(key: number, seq: number): Iterable<ChunkRow> {
    return this.#statements.chunksFrom.iterate(
      placeOf(key, 0),
      placeOf(key, seq),
      placeOf(key, seq),
      placeOf(key + 1, 0),
      scanChunks,
    ) as unknown as Iterable<ChunkRow>;
  }

  /** The first event of the chunk in which an event lies, or one not far before it. */
  #beginOfChunk({ key }: NewestEvents, seq: number): number {
    const first = Math.max(1, seq - mostReversed + 1);
    try {
      const [row] = this.#statements.lastChunk.all(placeOf(key ?? 0, 0), placeOf(key ?? 0, seq) + 1) as unknown as ChunkRow[];
      return row === undefined ? first : Math.max(first, firstSeqOf(row));
    } catch (error) {
      if (sqliteCodeOf(error) !== corruptCode) throw error;
      return first;
    }
  }

  #seqOfId({ key }: NewestEvents, id: string): number | undefined {
    if (key === undefined) return undefined;
    const [row] = this.#statements.seqOfId.all(key, id) as Row[];
    return typeof row?.['seq'] === 'number' ? row['seq'] : undefined;
  }

  /** Where the next chunk lies that SQLite can reach, behind a page of its own that is damaged; behind the last event if nowhere. */
  #nextReadable(key: number, from: number, through: number): number {
    for (let step = 1; from + step <= through; step *= 2) {
      try {
        const [row] = this.#statements.nextChunk.all(placeOf(key, from + step), placeOf(key + 1, 0)) as unknown as ChunkRow[];
        return row === undefined ? through + 1 : firstSeqOf(row);
      } catch (error) {
        if (sqliteCodeOf(error) !== corruptCode) throw error;
      }
    }
    return through + 1;
  }

  *#lost(head: SessionHead, from: number, through: number): Generator<JournalEvent> {
    if (from > through) return;
    const key = `${head.epoch} ${head.session_id} ${through}`;
    if (!this.#toldLosses.has(key) && this.#toldLosses.size < mostToldLosses) {
      this.#toldLosses.add(key);
      this.#onProblem(`Events ${from} to ${through} of ${head.session_id} cannot be read: the journal is damaged there`);
    }
    for (let seq = from; seq <= through; seq++) yield lostEvent(head, seq);
  }
}
