import { isAscii } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { cutText } from '../../core/text/cut-text.ts';

const flushMs = 100;
/** A line without a line end, such as a prompt, is sent after this long. */
const partialMs = 1_000;
/** The most characters kept of one line, and the most bytes that it may take in an event. A longer line is cut and the rest is counted. */
const lineChars = 256 * 1024;
const lineBytes = 512 * 1024;
/** A line of up to this many characters fits in an event, however its characters are escaped. */
const shortChars = lineBytes / 6;
const batchLines = 500;
const batchChars = 64 * 1024;
/** The most raw bytes that wait while no batch can be sent, and how many of the newest stay when there are more. */
const mostUnreadBytes = 4 * batchChars;
const keptUnreadBytes = 2 * batchChars;
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

/** The kept part of a line, and how many characters were cut from it. */
interface Line {
  text: string;
  cutChars: number;
}

interface Stream {
  /** Raw bytes that arrived while no batch can be sent. Dropping raw bytes is cheap, while splitting them into lines is expensive. */
  unread: Buffer[];
  unreadBytes: number;
  decoder: StringDecoder;
  /** The unfinished line, as a terminal would show it. Text that a carriage return overwrote (a progress bar) is removed. */
  rest: Line;
  /** Whether the last character was a carriage return. It overwrites the line only if something other than a line end follows. */
  endsInReturn: boolean;
  restSince: number;
  lines: string[];
  chars: number;
  cutChars: number;
  letGo: number;
}

/** Splits output into lines and sends them in bounded batches. When there is too much, the oldest lines are dropped: the newest say how
 * the program ended. */
export class OutputLines {
  readonly #onBatch: (batch: OutputBatch) => void;
  readonly #mayEmit: (batch: { isFull: boolean }) => boolean;
  readonly #streams: Record<'stdout' | 'stderr', Stream> = { stdout: newStream(), stderr: newStream() };
  readonly #timer: NodeJS.Timeout;
  #allowance = burstBatches;
  #allowedAt = performance.now();

  /** @param mayEmit called for each batch; false while too many events are unacknowledged */
  constructor(onBatch: (batch: OutputBatch) => void, mayEmit: (batch: { isFull: boolean }) => boolean) {
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
      return;
    }
    const pieces = stream.decoder.write(bytes).split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      const isWhole = stream.rest.text === '' && !stream.endsInReturn && piece.length <= shortChars && !piece.includes('\r');
      if (isWhole) this.#keep(name, piece);
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
      if (stream.rest.text !== '' && Date.now() - stream.restSince > partialMs) this.#keepRest(name);
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

  #keepRest(name: 'stdout' | 'stderr'): void {
    const stream = this.#streams[name];
    const { text, cutChars } = fitted(stream.rest);
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

function newStream(): Stream {
  return {
    unread: [],
    unreadBytes: 0,
    decoder: new StringDecoder('utf8'),
    rest: { text: '', cutChars: 0 },
    endsInReturn: false,
    restSince: 0,
    lines: [],
    chars: 0,
    cutChars: 0,
    letGo: 0,
  };
}

function isFull({ lines, chars }: Stream): boolean {
  return lines.length >= batchLines || chars >= batchChars;
}

/** Drops the oldest unread bytes and all lines before them, and counts the dropped lines. */
function dropOldUnread(stream: Stream): void {
  stream.letGo += stream.lines.length;
  stream.lines = [];
  stream.chars = 0;
  while (stream.unreadBytes > keptUnreadBytes) {
    const bytes = stream.unread.shift();
    if (bytes === undefined) return;
    stream.unreadBytes -= bytes.length;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      stream.letGo += countLineFeeds(bytes, end);
      stream.decoder = new StringDecoder('utf8');
      stream.rest = { text: '', cutChars: 0 };
      stream.endsInReturn = false;
    }
    const rest = bytes.subarray(end);
    if (continuesCutLine(stream, rest)) stream.rest.cutChars += rest.length;
    else addToRest(stream, stream.decoder.write(rest));
  }
}

const lineFeed = 10;
const carriageReturn = 13;

/** Counts four bytes at a time, because every byte of the output passes here (H. S. Warren, Hacker's Delight, 6-1: zero bytes). */
function countLineFeeds(bytes: Buffer, end: number): number {
  let count = 0;
  let at = 0;
  for (; at < end && (bytes.byteOffset + at) % 4 !== 0; at++) if (bytes[at] === lineFeed) count++;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >> 2);
  for (const word of words) {
    const different = word ^ 0x0a0a0a0a;
    const zeros = ~(((different & 0x7f7f7f7f) + 0x7f7f7f7f) | different | 0x7f7f7f7f);
    count += Math.imul(zeros >>> 7, 0x01010101) >>> 24;
  }
  for (at += words.length * 4; at < end; at++) if (bytes[at] === lineFeed) count++;
  return count;
}

/** Whether the bytes only continue a line that is already cut. They are ASCII then, so each byte counts as one character. */
function continuesCutLine({ rest, endsInReturn }: Stream, bytes: Buffer): boolean {
  return rest.cutChars > 0 && !endsInReturn && isAscii(bytes) && !bytes.includes(lineFeed) && !bytes.includes(carriageReturn);
}

/** Drops all but one batch of the newest lines. */
function dropOldLines(stream: Stream): void {
  let chars = 0;
  let from = stream.lines.length;
  while (from > 0 && stream.lines.length - from < batchLines && chars < batchChars) chars += stream.lines[--from]?.length ?? 0;
  stream.letGo += from;
  stream.lines = stream.lines.slice(from);
  stream.chars = chars;
}

/** Adds to the unfinished line. The result does not depend on how the pieces were split. @returns whether the line was overwritten */
function addToRest(stream: Stream, piece: string): boolean {
  if (piece === '') return false;
  let text = stream.endsInReturn ? `\r${piece}` : piece;
  stream.endsInReturn = text.endsWith('\r');
  if (stream.endsInReturn) text = text.slice(0, -1);
  const overwritten = text.lastIndexOf('\r');
  if (overwritten !== -1) {
    stream.rest = { text: '', cutChars: 0 };
    text = text.slice(overwritten + 1);
  }
  const { rest } = stream;
  // After a cut nothing more is added, even if a shorter piece would fit.
  const kept = rest.cutChars > 0 ? '' : cutText(text, lineChars - rest.text.length);
  rest.text += kept;
  rest.cutChars += text.length - kept.length;
  return overwritten !== -1;
}

/** Cuts a line so that it fits in an event. A control character takes six bytes there. */
function fitted(line: Line): Line {
  if (line.text.length <= shortChars || Buffer.byteLength(JSON.stringify(line.text)) <= lineBytes) return line;
  const text = cutText(line.text, Math.floor(shortChars));
  return { text, cutChars: line.cutChars + line.text.length - text.length };
}
