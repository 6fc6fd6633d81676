import { SessionTrace, type TraceOptions } from '../../adapters/otel/session-trace.ts';
import type { TracedSpan } from '../../adapters/otel/traced-span.ts';
import type { Cursor } from '../../core/protocol/event.ts';
import type { Journal, SessionHead } from '../../journal/journal.ts';
import { nextTurn } from '../turns.ts';

/** Events read at a time, so that a long history holds up nobody. */
const pieceEvents = 200;
const pieceChars = 1024 * 1024;
/** Traces in memory. Others are made again from the journal. */
const mostTraces = 100;

/** Makes the traces of sessions of their events in the journal, and goes on with each where it was. */
export class SessionTraces {
  readonly #journal: Journal;
  readonly #options: TraceOptions;
  /** The least recently used first. */
  readonly #traces = new Map<string, SessionTrace>();

  constructor(journal: Journal, options: TraceOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  forget(sessionId: string): void {
    this.#traces.delete(sessionId);
  }

  /**
   * The next spans of a session.
   * @param after the place through which they were sent
   * @param limit as soon as there are so many, it stops; one event can make it some more
   * @returns the spans, the place through which they are known now, and whether that was the end of the history
   */
  async next(head: SessionHead, after: number, limit: number): Promise<{ spans: TracedSpan[]; through: Cursor; isAll: boolean }> {
    const { session_id, epoch } = head;
    const trace = this.#traceOf(head);
    const spans: TracedSpan[] = [];
    while (trace.seq < head.seq && spans.length < limit) {
      const events = await this.#journal.read(session_id, {
        after: trace.seq,
        limit: pieceEvents,
        maxChars: pieceChars,
        through: head.seq,
      });
      if (events.length === 0) break;
      for (const { event, seq } of events) {
        const ended = trace.take(event);
        if (seq > after) spans.push(...ended);
        if (spans.length >= limit) break;
      }
      await nextTurn();
    }
    return { spans, through: { epoch, seq: trace.seq }, isAll: spans.length < limit };
  }

  /** A trace that is not in memory begins at the first event. */
  #traceOf(head: SessionHead): SessionTrace {
    const known = this.#traces.get(head.session_id);
    const trace = known?.epoch === head.epoch ? known : new SessionTrace(head, this.#options);
    this.#traces.delete(head.session_id);
    this.#traces.set(head.session_id, trace);
    const [oldest] = this.#traces.keys();
    if (this.#traces.size > mostTraces && oldest !== undefined) this.#traces.delete(oldest);
    return trace;
  }
}
