import type { Redaction } from '../../core/text/redaction.ts';
import { safeLine } from '../../core/text/safe-text.ts';
import {
  addToRest,
  batchChars,
  batchLines,
  continuesCutLine,
  dropOldLines,
  dropOldUnread,
  fitted,
  isFull,
  mayOverwrite,
  newStream,
  shortChars,
  skip,
  type StreamLines,
} from './stream-lines.ts';

const flushMs = 100;
/** A line without a line end, such as a prompt, is sent after this long. */
const partialMs = 1_000;
/** The most raw bytes that wait while no batch can be sent. */
const mostUnreadBytes = 4 * batchChars;
/** The rate limit for full batches: a burst of 40 (20,000 lines), then 10 a second (5,000 lines). */
const burstBatches = 40;
const batchesPerSecond = 10;

/**
 * A batch of one stream's output lines. `let_go` counts earlier lines that were dropped because they came too fast,
 * `let_go_chars` the characters that were cut from the ends of lines that were too long.
 */
export interface OutputBatch {
  stream: 'stdout' | 'stderr';
  lines: string[];
  let_go?: number;
  let_go_chars?: number;
}

/** Splits output into lines and sends them in bounded batches. When there is too much, the oldest lines are dropped: the newest say how
 * the program ended. */
export class OutputLines {
  readonly #onBatch: (batch: OutputBatch) => void;
  readonly #mayEmit: (batch: { isFull: boolean }) => boolean;
  readonly #streams: Record<'stdout' | 'stderr', StreamLines>;
  readonly #timer: NodeJS.Timeout;
  #allowance = burstBatches;
  #allowedAt = performance.now();

  /**
   * @param mayEmit called for each batch; false while too many events are unacknowledged
   * @param redaction what is replaced before a line is told; undefined: nothing
   */
  constructor(onBatch: (batch: OutputBatch) => void, mayEmit: (batch: { isFull: boolean }) => boolean, redaction?: Redaction) {
    this.#streams = { stdout: newStream(redaction), stderr: newStream(redaction) };
    this.#onBatch = onBatch;
    this.#mayEmit = mayEmit;
    this.#timer = setInterval(() => this.#flush(false), flushMs);
    this.#timer.unref();
  }

  write(name: 'stdout' | 'stderr', bytes: Buffer): void {
    const stream = this.#streams[name];
    if (stream.unread.length === 0 && (!isFull(stream) || this.#mayEmitFull())) {
      this.#read(name, bytes);
      return;
    }
    stream.unread.push(bytes);
    stream.unreadBytes += bytes.length;
    if (stream.unreadBytes > mostUnreadBytes) dropOldUnread(stream);
  }

  #read(name: 'stdout' | 'stderr', bytes: Buffer): void {
    const stream = this.#streams[name];
    if (continuesCutLine(stream, bytes)) {
      stream.rest.cutChars += bytes.length;
      stream.restSince = Date.now();
      skip(stream, bytes);
      return;
    }
    const pieces = stream.decoder.write(bytes).split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      const isWhole = stream.rest.text === '' && !stream.endsInReturn && piece.length <= shortChars && !mayOverwrite(piece);
      if (isWhole) this.#keep(name, stream.redaction?.line(piece) ?? piece);
      else {
        addToRest(stream, piece);
        this.#keepRest(name);
      }
    }
    const isOverwritten = addToRest(stream, last);
    if (stream.rest.text === '') stream.restSince = 0;
    // A growing line is given time to end. A line that is overwritten repeatedly, such as a progress bar, is sent as it is.
    else if (stream.restSince === 0 || (last !== '' && !isOverwritten)) stream.restSince = Date.now();
  }

  /** Sends everything that is left, including unfinished lines. */
  close(): void {
    clearInterval(this.#timer);
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.#streams[name];
      this.#readUnread(name);
      addToRest(stream, stream.decoder.end());
      if (stream.rest.text !== '') this.#keepRest(name);
    }
    this.#flush(true);
  }

  #flush(isLast: boolean): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.#streams[name];
      if (stream.unread.length > 0 && (isLast || this.#mayEmitFull())) this.#readUnread(name);
      if (tellsSomething(stream.rest.text) && Date.now() - stream.restSince > partialMs) this.#keepBeginning(name);
      if (stream.lines.length > 0 && (isLast || this.#isAllowed(isFull(stream)))) this.#tell(name);
    }
  }

  #readUnread(name: 'stdout' | 'stderr'): void {
    const stream = this.#streams[name];
    const unread = stream.unread;
    stream.unread = [];
    stream.unreadBytes = 0;
    for (const bytes of unread) this.#read(name, bytes);
  }

  /** Tells what there is of a line that has not ended, but for what may be the beginning of a secret. */
  #keepBeginning(name: 'stdout' | 'stderr'): void {
    const stream = this.#streams[name];
    const { redaction, rest } = stream;
    const ready = redaction?.readyChars(rest.text) ?? rest.text.length;
    // Of a line that is cut already nothing more comes.
    if (redaction === undefined || rest.cutChars > 0) this.#keepRest(name);
    else if (ready > 0) {
      const beginning = fitted({ text: rest.text.slice(0, ready), cutChars: 0 });
      stream.rest = { text: rest.text.slice(ready), cutChars: 0 };
      stream.restSince = Date.now();
      stream.cutChars += beginning.cutChars;
      this.#keep(name, redaction.beginning(beginning.text));
    } else stream.restSince = Date.now();
  }

  #keepRest(name: 'stdout' | 'stderr'): void {
    const stream = this.#streams[name];
    const { text: line, cutChars } = fitted(stream.rest);
    const text = stream.redaction?.line(line, cutChars > 0) ?? line;
    stream.rest = { text: '', cutChars: 0 };
    stream.endsInReturn = false;
    stream.restSince = 0;
    stream.cutChars += cutChars;
    this.#keep(name, text);
  }

  #keep(name: 'stdout' | 'stderr', line: string): void {
    const stream = this.#streams[name];
    if (isFull(stream)) {
      if (this.#isAllowed(true)) this.#tell(name);
      // Half of the lines are dropped at once, because dropping them one by one would cost more than the program itself.
      else if (stream.lines.length >= 2 * batchLines || stream.chars >= 2 * batchChars) dropOldLines(stream);
    }
    stream.lines.push(line);
    stream.chars += line.length;
  }

  #tell(name: 'stdout' | 'stderr'): void {
    const stream = this.#streams[name];
    if (stream.lines.length > batchLines || stream.chars > 2 * batchChars) dropOldLines(stream);
    this.#onBatch({
      stream: name,
      lines: stream.lines,
      ...(stream.letGo === 0 ? {} : { let_go: stream.letGo }),
      ...(stream.cutChars === 0 ? {} : { let_go_chars: stream.cutChars }),
    });
    stream.cutChars = 0;
    stream.letGo = 0;
    stream.lines = [];
    stream.chars = 0;
  }

  /** Whether a full batch could be sent now. */
  #mayEmitFull(): boolean {
    this.#renewAllowance();
    return this.#allowance >= 1 && this.#mayEmit({ isFull: true });
  }

  #renewAllowance(): void {
    const now = performance.now();
    this.#allowance = Math.min(burstBatches, this.#allowance + ((now - this.#allowedAt) / 1_000) * batchesPerSecond);
    this.#allowedAt = now;
  }

  #isAllowed(isFull: boolean): boolean {
    this.#renewAllowance();
    // Slow output is sent ten times a second and does not use up the allowance for bursts.
    const price = isFull ? 1 : 0;
    if (this.#allowance < price || !this.#mayEmit({ isFull })) return false;
    this.#allowance -= price;
    return true;
  }
}

/** A spinner's mark alone is no news; it is told with its line. */
function tellsSomething(text: string): boolean {
  if (text.length > 40) return true;
  const shown = safeLine(text).trim();
  return shown.length > 2 || /[\p{L}\p{N}]/u.test(shown);
}
