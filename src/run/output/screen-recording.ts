import { StringDecoder } from 'node:string_decoder';
import type { Redaction } from '../../core/text/redaction.ts';

const flushMs = 1_000;
/** Characters of one piece, and of all that is kept of a run. */
const pieceChars = 32 * 1_024;
const mostChars = 4 * 1024 * 1024;

/** A piece of what a full-screen program has written, as `process:screen` tells it. */
export interface ScreenPiece {
  text: string;
  /** Milliseconds since the piece before. */
  after_ms: number;
  /** How many characters are not kept, because the recording is full. */
  let_go_chars?: number;
}

/** Keeps what a full-screen program writes, in pieces and up to a bound. */
export class ScreenRecording {
  readonly #onPiece: (piece: ScreenPiece) => void;
  readonly #redaction: Redaction | undefined;
  readonly #decoder = new StringDecoder('utf8');
  #text = '';
  #kept = 0;
  #letGo = 0;
  #toldAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(onPiece: (piece: ScreenPiece) => void, redaction?: Redaction) {
    this.#onPiece = onPiece;
    this.#redaction = redaction;
  }

  write(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    const fits = text.slice(0, Math.max(0, mostChars - this.#kept - this.#text.length));
    this.#letGo += text.length - fits.length;
    this.#text += fits;
    if (this.#text.length >= pieceChars) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushMs).unref();
  }

  /** Tells what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === '' && this.#letGo === 0) return;
    const now = performance.now();
    let after_ms = Math.round(now - this.#toldAt);
    this.#toldAt = now;
    const text = this.#redaction?.text(this.#text) ?? this.#text;
    this.#kept += this.#text.length;
    this.#text = '';
    for (let at = 0; at === 0 || at < text.length; at += pieceChars) {
      const letGo = this.#letGo === 0 ? {} : { let_go_chars: this.#letGo };
      this.#letGo = 0;
      this.#onPiece({ text: text.slice(at, at + pieceChars).toWellFormed(), after_ms, ...letGo });
      after_ms = 0;
    }
  }
}
