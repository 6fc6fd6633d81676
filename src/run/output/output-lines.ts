import { isAscii } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { cutText } from '../../core/text/cut-text.ts';

const flushMs = 100;
/** A line without an end, such as a prompt, is told after this long all the same. */
const partialMs = 1_000;
/** Characters kept of one line, and bytes that it may take in an event: a line beyond them is cut, and the rest counted. */
const lineChars = 256 * 1024;
const lineBytes = 512 * 1024;
/** A line up to here needs no closer look. */
const shortChars = lineBytes / 6;
const batchLines = 500;
const batchChars = 64 * 1024;
/** Bytes that wait as they came while nothing can be told, and what is kept of them when they are more. */
const mostUnreadBytes = 4 * batchChars;
const keptUnreadBytes = 2 * batchChars;
/** Full batches that may go at once after a quiet time, and as many a second from then on: 5,000 lines a second, in bursts 20,000. */
const burstBatches = 40;
const batchesPerSecond = 10;

/**
 * A batch of one stream's output lines. `let_go` counts lines before them that came faster than they could be told,
 * `let_go_chars` the characters at the ends of lines that were too long.
 */
export interface OutputBatch {
  stream: 'stdout' | 'stderr';
  lines: string[];
  let_go?: number;
  let_go_chars?: number;
}

/** A line as it is kept, and how many characters of it are not. */
interface Line {
  text: string;
  cutChars: number;
}

interface Stream {
  /** What came while nothing can be told: to let it go costs next to nothing, to cut it into lines much. */
  unread: Buffer[];
  unreadBytes: number;
  decoder: StringDecoder;
  /** The line that has not ended yet, as a terminal would show it: what a carriage return overwrote (progress bars) is gone. */
  rest: Line;
  /** Its last character was a carriage return, which overwrites only if anything but a line's end follows. */
  endsInReturn: boolean;
  restSince: number;
  lines: string[];
  chars: number;
  cutChars: number;
  letGo: number;
}

/** Cuts output into lines and tells them in bounded batches. Of what is too much the newest is kept: it says how things ended. */
export class OutputLines {
  readonly #onBatch: (batch: OutputBatch) => void;
  readonly #mayEmit: (batch: { isFull: boolean }) => boolean;
  readonly #streams: Record<'stdout' | 'stderr', Stream> = { stdout: newStream(), stderr: newStream() };
  readonly #timer: NodeJS.Timeout;
  #allowance = burstBatches;
  #allowedAt = performance.now();

  /** @param mayEmit asked for each batch: false while too much is on its way already */
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
    // A line that still grows is waited for; one that is overwritten again and again is a state to show.
    else if (stream.restSince === 0 || (last !== '' && !isOverwritten)) stream.restSince = Date.now();
  }

  /** Tells what is left, ends of streams included. */
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
      // Twice as many, and then half of them go: one at a time would cost more than the program's own work.
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

  /** Whether a full batch could be told now. */
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
    // What comes slowly is told ten times a second and costs nothing of what is meant for bursts.
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

/** Lets the oldest of what is unread go, and all that is older, with the number of its lines. */
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

/** Counts four bytes at a time, by the zero bytes of a word (H. S. Warren, Hacker's Delight, 6-1): it is done for every byte of a flood. */
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

/** Whether the bytes are as many characters behind the end of a line that is too long already. */
function continuesCutLine({ rest, endsInReturn }: Stream, bytes: Buffer): boolean {
  return rest.cutChars > 0 && !endsInReturn && isAscii(bytes) && !bytes.includes(lineFeed) && !bytes.includes(carriageReturn);
}

/** Keeps one batch of the newest lines. */
function dropOldLines(stream: Stream): void {
  let chars = 0;
  let from = stream.lines.length;
  while (from > 0 && stream.lines.length - from < batchLines && chars < batchChars) chars += stream.lines[--from]?.length ?? 0;
  stream.letGo += from;
  stream.lines = stream.lines.slice(from);
  stream.chars = chars;
}

/** Adds to the line that has not ended. It is the same in the end, however the pieces were cut. @returns whether it began anew */
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
  // What follows a cut is behind it, also where a shorter piece would still fit.
  const kept = rest.cutChars > 0 ? '' : cutText(text, lineChars - rest.text.length);
  rest.text += kept;
  rest.cutChars += text.length - kept.length;
  return overwritten !== -1;
}

/** A line that an event can hold: control characters take six times their room there. */
function fitted(line: Line): Line {
  if (line.text.length <= shortChars || Buffer.byteLength(JSON.stringify(line.text)) <= lineBytes) return line;
  const text = cutText(line.text, Math.floor(shortChars));
  return { text, cutChars: line.cutChars + line.text.length - text.length };
}
