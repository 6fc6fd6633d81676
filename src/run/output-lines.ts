import { StringDecoder } from 'node:string_decoder';
import { cutText } from '../core/cut-text.ts';

const flushMs = 100;
/** A line without an end, such as a prompt, is told after this long all the same. */
const partialMs = 1_000;
const lineChars = 4_000;
const batchLines = 500;
const batchChars = 64 * 1024;
/** Full batches that may go at once after a quiet time, and as many a second from then on: 5,000 lines a second, in bursts 20,000. */
const burstBatches = 40;
const batchesPerSecond = 10;

/** A batch of one stream's output lines. `let_go` counts lines before them that came faster than they could be told. */
export interface OutputBatch {
  stream: 'stdout' | 'stderr';
  lines: string[];
  let_go?: number;
}

interface Stream {
  decoder: StringDecoder;
  rest: string;
  restSince: number;
  lines: string[];
  chars: number;
  letGo: number;
}

/** Cuts output into lines and tells them in bounded batches. Of what is too much the newest is kept: it says how things ended. */
export class OutputLines {
  readonly #onBatch: (batch: OutputBatch) => void;
  readonly #mayTell: (batch: { isFull: boolean }) => boolean;
  readonly #streams: Record<'stdout' | 'stderr', Stream> = { stdout: newStream(), stderr: newStream() };
  readonly #timer: NodeJS.Timeout;
  #allowance = burstBatches;
  #allowedAt = performance.now();

  /** @param mayTell asked for each batch: false while too much is on its way already */
  constructor(onBatch: (batch: OutputBatch) => void, mayTell: (batch: { isFull: boolean }) => boolean) {
    this.#onBatch = onBatch;
    this.#mayTell = mayTell;
    this.#timer = setInterval(() => this.#flush(false), flushMs);
    this.#timer.unref();
  }

  write(name: 'stdout' | 'stderr', bytes: Buffer): void {
    const stream = this.#streams[name];
    const pieces = (stream.rest + stream.decoder.write(bytes)).split('\n');
    stream.rest = pieces.pop() ?? '';
    if (stream.rest.length > lineChars) {
      pieces.push(stream.rest);
      stream.rest = '';
    }
    if (stream.rest === '') stream.restSince = 0;
    else if (stream.restSince === 0) stream.restSince = Date.now();
    for (const piece of pieces) this.#keep(name, shownLine(piece));
  }

  /** Tells what is left, ends of streams included. */
  close(): void {
    clearInterval(this.#timer);
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.#streams[name];
      stream.rest += stream.decoder.end();
      if (stream.rest !== '') this.#keep(name, shownLine(stream.rest));
      stream.rest = '';
    }
    this.#flush(true);
  }

  #flush(isLast: boolean): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.#streams[name];
      if (stream.rest !== '' && Date.now() - stream.restSince > partialMs) {
        this.#keep(name, shownLine(stream.rest));
        stream.rest = '';
        stream.restSince = 0;
      }
      if (stream.lines.length > 0 && (isLast || this.#isAllowed(isFull(stream)))) this.#tell(name);
    }
  }

  #keep(name: 'stdout' | 'stderr', line: string): void {
    const stream = this.#streams[name];
    if (isFull(stream)) {
      if (this.#isAllowed(true)) this.#tell(name);
      // Twice as many, and then half of them go: one at a time would cost more than the program's own work.
      else if (stream.lines.length >= 2 * batchLines || stream.chars >= 2 * batchChars) letOldGo(stream);
    }
    stream.lines.push(line);
    stream.chars += line.length;
  }

  #tell(name: 'stdout' | 'stderr'): void {
    const stream = this.#streams[name];
    if (stream.lines.length > batchLines || stream.chars > 2 * batchChars) letOldGo(stream);
    this.#onBatch({ stream: name, lines: stream.lines, ...(stream.letGo === 0 ? {} : { let_go: stream.letGo }) });
    stream.letGo = 0;
    stream.lines = [];
    stream.chars = 0;
  }

  #isAllowed(isFull: boolean): boolean {
    const now = performance.now();
    this.#allowance = Math.min(burstBatches, this.#allowance + ((now - this.#allowedAt) / 1_000) * batchesPerSecond);
    this.#allowedAt = now;
    // What comes slowly is told ten times a second and costs nothing of what is meant for bursts.
    const price = isFull ? 1 : 0;
    if (this.#allowance < price || !this.#mayTell({ isFull })) return false;
    this.#allowance -= price;
    return true;
  }
}

function newStream(): Stream {
  return { decoder: new StringDecoder('utf8'), rest: '', restSince: 0, lines: [], chars: 0, letGo: 0 };
}

function isFull({ lines, chars }: Stream): boolean {
  return lines.length >= batchLines || chars >= batchChars;
}

/** Keeps one batch of the newest lines. */
function letOldGo(stream: Stream): void {
  let chars = 0;
  let from = stream.lines.length;
  while (from > 0 && stream.lines.length - from < batchLines && chars < batchChars) chars += stream.lines[--from]?.length ?? 0;
  stream.letGo += from;
  stream.lines = stream.lines.slice(from);
  stream.chars = chars;
}

/** A line as a terminal would show it in the end: what a carriage return overwrote (progress bars) is gone. */
function shownLine(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return cutText(text.slice(text.lastIndexOf('\r') + 1), lineChars);
}
