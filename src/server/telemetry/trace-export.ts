import { setTimeout as wait } from 'node:timers/promises';
import type { TraceOptions } from '../../adapters/otel/session-trace.ts';
import type { TracedSpan } from '../../adapters/otel/traced-span.ts';
import type { Cursor } from '../../core/protocol/event.ts';
import type { Journal, JournalChange } from '../../journal/journal.ts';
import { SessionTraces } from './session-traces.ts';
import { TraceReceiver, type Sent, type TraceReceiverOptions } from './trace-receiver.ts';

/** The name by which its cursors are kept with the journal. */
const reader = 'otlp';
/** What happens within so long is sent together. */
const gatherMs = 1_000;
/** Spans of one request. */
const batchSpans = 512;
/** Between attempts: from the first on twice as long each time, each a little shorter at random, so that servers do not come together. */
const [firstPauseMs, longestPauseMs] = [1_000, 5 * 60_000];
/** What a server that stops waits for its last spans. */
const farewellMs = 1_500;

export interface TraceExportOptions extends TraceReceiverOptions, TraceOptions {}

export interface TraceExportParts {
  journal: Journal;
  options: TraceExportOptions;
  onProblem: (error: unknown) => void;
  /** Takes a sentence for the person that runs the server. */
  onWarning: (sentence: string) => void;
}

type Later = Extract<Sent, { kind: 'later' }>;

/** Spans, and the places through which their sessions are sent with them. */
interface Batch {
  spans: TracedSpan[];
  cursors: Map<string, Cursor>;
}

/**
 * Sends sessions as traces. It follows the journal by a cursor for each session, which it keeps there: what could not be sent waits in the
 * journal, and is sent later, by the next server too. A span whose answer was not heard is sent again, so it comes at least once.
 */
export class TraceExport {
  readonly #parts: TraceExportParts;
  readonly #receiver: TraceReceiver;
  readonly #traces: SessionTraces;
  /** Ends waiting. */
  readonly #stopping = new AbortController();
  /** Ends a request under way. */
  readonly #cut = new AbortController();
  /** Through where each session is sent. */
  #cursors = new Map<string, Cursor>();
  /** Places without spans before them, which are kept with the next ones. */
  readonly #unsaved = new Map<string, Cursor>();
  /** Sessions that have gone on. */
  readonly #changed = new Set<string>();
  /** What is being sent. */
  #batch: Batch | undefined;
  #work: Promise<void> | undefined;
  #unsubscribe: () => void = () => undefined;
  #isDown = false;
  #sent = 0;

  constructor(parts: TraceExportParts) {
    this.#parts = parts;
    this.#receiver = new TraceReceiver(parts.options);
    this.#traces = new SessionTraces(parts.journal, parts.options);
  }

  /** Spans that receivers have taken since the start. */
  get sent(): number {
    return this.#sent;
  }

  /** Sessions that have gone on, and of which it is not noted yet that all is sent. */
  get waiting(): number {
    return new Set([...this.#changed, ...(this.#batch?.cursors.keys() ?? [])]).size;
  }

  /** Goes on where it was. What had ended before it was ever started is not sent. */
  async open(): Promise<void> {
    const { journal } = this.#parts;
    this.#unsubscribe = journal.subscribe((changes) => this.#take(changes));
    const heads = await journal.sessions();
    const kept = await journal.loadCursors(reader);
    this.#cursors = kept ?? new Map(heads.map(({ session_id, epoch, seq }) => [session_id, { epoch, seq }]));
    if (kept === undefined) await journal.saveCursors(reader, this.#cursors);
    for (const { session_id, seq, imported } of heads)
      if (imported === undefined && seq > (this.#cursors.get(session_id)?.seq ?? 0)) this.#changed.add(session_id);
    this.#wake();
  }

  /** Lets the request under way come to its end, makes one last attempt, and stops. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#stopping.abort();
    const cut = setTimeout(() => this.#cut.abort(), farewellMs);
    await this.#work;
    try {
      while (!this.#cut.signal.aborted && (await this.#sendNext()) === 'some');
      if (this.#unsaved.size > 0) await this.#saveCursors();
    } catch (error) {
      this.#parts.onProblem(error);
    } finally {
      clearTimeout(cut);
    }
  }

  #take(changes: readonly JournalChange[]): void {
    for (const change of changes) {
      if (change.kind === 'created') continue;
      if (change.kind === 'deleted') {
        for (const known of [this.#cursors, this.#unsaved, this.#changed]) known.delete(change.session_id);
        this.#traces.forget(change.session_id);
      } else this.#changed.add(change.session_id);
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#work !== undefined || this.#changed.size === 0 || this.#stopping.signal.aborted) return;
    this.#work = this.#run()
      .catch((error: unknown) => this.#parts.onProblem(error))
      .finally(() => {
        this.#work = undefined;
        this.#wake();
      });
  }

  /** Sends what there is, a request at a time. */
  async #run(): Promise<void> {
    await this.#wait(gatherMs);
    for (let pauseMs = firstPauseMs; !this.#stopping.signal.aborted;) {
      const sent = await this.#sendNext();
      if (sent === 'all') return;
      if (sent === 'some') {
        pauseMs = firstPauseMs;
        continue;
      }
      await this.#wait(Math.min(longestPauseMs, Math.max(pauseMs, sent.afterMs ?? 0)) * (1 - Math.random() / 4));
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  #wait(ms: number): Promise<void> {
    return wait(ms, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined);
  }

  /** Sends the next spans, or those of last time, which could not be sent. @returns whether that was all there is, or why it has to be sent again */
  async #sendNext(): Promise<'all' | 'some' | Later> {
    this.#batch ??= await this.#collect();
    const { spans, cursors } = this.#batch;
    const count = spans.length;
    const refused = await this.#deliver(spans);
    if (refused !== undefined) return refused;
    for (const [sessionId, cursor] of cursors) {
      this.#cursors.set(sessionId, cursor);
      this.#unsaved.set(sessionId, cursor);
    }
    if (count > 0) await this.#saveCursors();
    this.#batch = undefined;
    return count < batchSpans ? 'all' : 'some';
  }

  /** The next spans of the sessions that have gone on. */
  async #collect(): Promise<Batch> {
    const batch: Batch = { spans: [], cursors: new Map() };
    // What comes while this reads is for the next time.
    const changed = [...this.#changed];
    for (const sessionId of changed) {
      if (batch.spans.length >= batchSpans) break;
      this.#changed.delete(sessionId);
      try {
        const head = await this.#parts.journal.head(sessionId);
        if (head === undefined) continue;
        const cursor = this.#cursors.get(sessionId);
        const after = cursor?.epoch === head.epoch ? cursor.seq : 0;
        const { spans, through, isAll } = await this.#traces.next(head, after, batchSpans - batch.spans.length);
        batch.spans.push(...spans);
        batch.cursors.set(sessionId, through);
        if (!isAll) this.#changed.add(sessionId);
      } catch (error) {
        // Its trace may stand behind spans that were not sent: it is made again when the session goes on.
        this.#traces.forget(sessionId);
        this.#parts.onProblem(error);
      }
    }
    return batch;
  }

  /** Sends spans, and takes away those that need not be sent again: they were taken, or the receiver will not have them. */
  async #deliver(spans: TracedSpan[]): Promise<Later | undefined> {
    let size = spans.length;
    while (spans.length > 0) {
      const part = spans.slice(0, size);
      const sent = await this.#receiver.send(part, this.#cut.signal);
      if (sent.kind === 'later') {
        this.#tellIfDown(true, sent.reason);
        return sent;
      }
      this.#tellIfDown(false, '');
      if (sent.kind === 'smaller' && part.length > 1) {
        size = Math.ceil(part.length / 2);
        continue;
      }
      spans.splice(0, part.length);
      const left = sent.kind === 'taken' ? sent.rejected : { count: part.length, reason: sent.reason };
      this.#sent += part.length - (left?.count ?? 0);
      if (left !== undefined)
        this.#parts.onWarning(`${this.#where} does not take ${left.count} of the spans, which are left out: ${left.reason}`);
    }
    return undefined;
  }

  /** Says once that the receiver is away, and once that it is there again. */
  #tellIfDown(isDown: boolean, reason: string): void {
    if (isDown === this.#isDown || this.#cut.signal.aborted) return;
    this.#isDown = isDown;
    this.#parts.onWarning(
      isDown ? `Traces wait, for ${this.#where} cannot take them: ${reason}` : `Traces are sent to ${this.#where} again`,
    );
  }

  /** Where it fails, they are kept with the next ones. */
  async #saveCursors(): Promise<void> {
    const saved = [...this.#unsaved];
    try {
      await this.#parts.journal.saveCursors(reader, new Map(saved));
    } catch (error) {
      this.#parts.onProblem(error);
      return;
    }
    for (const [sessionId, cursor] of saved) if (this.#unsaved.get(sessionId) === cursor) this.#unsaved.delete(sessionId);
  }

  get #where(): string {
    return new URL(this.#parts.options.url).host;
  }
}
