import { StringDecoder } from 'node:string_decoder';

const flushMs = 100;
/** A line without an end, such as a prompt, is told after this long all the same. */
const partialMs = 1_000;
const lineChars = 4_000;
const batchLines = 500;
const batchChars = 64 * 1024;

/** A batch of one stream's output lines. `let_go` counts lines that came faster than they could be told. */
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

/** Cuts output into lines and tells them in bounded batches, ten times a second. */
export class OutputLines {
  readonly #onBatch: (batch: OutputBatch) => void;
  readonly #mayTell: () => boolean;
  readonly #streams: Record<'stdout' | 'stderr', Stream> = { stdout: newStream(), stderr: newStream() };
  readonly #timer: NodeJS.Timeout;

  /** @param mayTell false while too much is on its way already: lines are counted, not kept */
  constructor(onBatch: (batch: OutputBatch) => void, mayTell: () => boolean) {
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
    for (const piece of pieces) keep(stream, shownLine(piece));
  }

  /** Tells what is left, ends of streams included. */
  close(): void {
    clearInterval(this.#timer);
    for (const stream of Object.values(this.#streams)) {
      stream.rest += stream.decoder.end();
      if (stream.rest !== '') keep(stream, shownLine(stream.rest));
      stream.rest = '';
    }
    this.#flush(true);
  }

  #flush(isLast: boolean): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.#streams[name];
      if (stream.rest !== '' && Date.now() - stream.restSince > partialMs) {
        keep(stream, shownLine(stream.rest));
        stream.rest = '';
        stream.restSince = 0;
      }
      if (stream.lines.length === 0 && stream.letGo === 0) continue;
      if (!isLast && !this.#mayTell()) {
        stream.letGo += stream.lines.length;
      } else {
        this.#onBatch({ stream: name, lines: stream.lines, ...(stream.letGo === 0 ? {} : { let_go: stream.letGo }) });
        stream.letGo = 0;
      }
      stream.lines = [];
      stream.chars = 0;
    }
  }
}

function newStream(): Stream {
  return { decoder: new StringDecoder('utf8'), rest: '', restSince: 0, lines: [], chars: 0, letGo: 0 };
}

function keep(stream: Stream, line: string): void {
  if (stream.lines.length >= batchLines || stream.chars >= batchChars) {
    stream.letGo++;
    return;
  }
  stream.lines.push(line);
  stream.chars += line.length;
}

/** A line as a terminal would show it in the end: what a carriage return overwrote (progress bars) is gone. */
function shownLine(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1).slice(0, lineChars);
}
