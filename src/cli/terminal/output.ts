import type { ChalkInstance } from 'chalk';
import { maskPasswords } from '../../core/text/mask-passwords.ts';
import { coloredLine, safeJson, safeLine } from '../../core/text/safe-text.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Failure } from '../failure.ts';
import { onReaderGone } from './reader-gone.ts';

export interface OutputOptions {
  isJson: boolean;
  isQuiet: boolean;
  isVerbose: boolean;
  /** False: `--no-color`. */
  color: boolean;
}

/** The meaning of a word on the screen: the same in every command. */
export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'strong';

/** Neither yellow nor dim: they cannot be read on a light ground. */
const styles: Record<Exclude<Tone, 'plain'>, (chalk: ChalkInstance) => (text: string) => string> = {
  good: (chalk) => chalk.green,
  bad: (chalk) => chalk.red,
  warn: (chalk) => chalk.magenta,
  strong: (chalk) => chalk.bold,
};

const plainAscii = /^[\x20-\x7e]*$/;
/** The sequences that chalk writes around a text. */
const colour = /(\x1b\[\d+m)/;

/** The way out: results to stdout, everything else to stderr. A pipe takes decoration away, never changes the format. */
export class Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  /** Whether results on a terminal may have colours. */
  readonly isColored: boolean;
  readonly #outChalk: ChalkInstance | undefined;
  readonly #errChalk: ChalkInstance | undefined;

  private constructor(options: OutputOptions, isColored: boolean, chalks: Record<'out' | 'err', ChalkInstance | undefined>) {
    this.isJson = options.isJson;
    this.isQuiet = options.isQuiet;
    this.isVerbose = options.isVerbose;
    this.isColored = isColored;
    this.#outChalk = chalks.out;
    this.#errChalk = chalks.err;
  }

  static async open(options: OutputOptions): Promise<Output> {
    const { NO_COLOR, TERM } = process.env;
    const isColored = options.color && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
    const wants = { out: isColored && process.stdout.isTTY, err: isColored && process.stderr.isTTY };
    // Loaded only where something is coloured: a script that starts this program a thousand times does not pay for it.
    const chalk = wants.out || wants.err ? new (await import('chalk')).Chalk({ level: 1 }) : undefined;
    return new Output(options, isColored, { out: wants.out ? chalk : undefined, err: wants.err ? chalk : undefined });
  }

  /** Whether results go to a terminal. */
  get isTerminal(): boolean {
    return process.stdout.isTTY;
  }

  /** Columns and rows of the terminal that results go to; undefined elsewhere, where no line is too long. */
  get window(): { columns: number; rows: number } | undefined {
    const { isTTY, columns, rows } = process.stdout;
    return isTTY && columns > 0 && rows > 0 ? { columns, rows } : undefined;
  }

  /** A part of a line of results, coloured on a terminal. The text must be safe already. */
  paint(tone: Tone, text: string): string {
    return tone === 'plain' || this.#outChalk === undefined ? text : styles[tone](this.#outChalk)(text);
  }

  /** One line of results. */
  line(text: string): void {
    process.stdout.write(`${this.#safe(text)}\n`);
  }

  /** One line that a program has written: with its colours on a terminal, cleaned elsewhere. Resolves when there is room for more. */
  async programLine(start: string, text: string): Promise<void> {
    const line = this.isColored && this.isTerminal ? coloredLine(text) : safeLine(text);
    if (process.stdout.write(`${start}${line}\n`)) return;
    await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
  }

  /** For results without an end: the program ends as soon as its reader closes the pipe, as `head` does, without waiting for the next result. */
  endWithReader(): void {
    onReaderGone(() => process.exit(exitCodes.ok));
  }

  /** One line of an endless result: resolves when the reader has room for more. */
  async stream(text: string): Promise<void> {
    if (process.stdout.write(`${this.#safe(text)}\n`)) return;
    await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
  }

  /** A JSON document of one line, versioned. */
  document(fields: object): void {
    this.line(json(fields));
  }

  /** A JSON document of an endless result. */
  streamDocument(fields: object): Promise<void> {
    return this.stream(json(fields));
  }

  /** Something said beside the results. `-q` leaves it out. */
  note(text: string): void {
    if (!this.isQuiet) this.#err(safeLine(text, 4_000));
  }

  /** Something that should be known even with `-q`. */
  warn(sentence: string): void {
    this.#err(`${this.#paintErr('warn', 'warning:')} ${safeLine(sentence, 4_000)}`);
  }

  /** An error: a sentence and the next step, or its JSON form. */
  failure({ code, message, hints, cause, stack, isRetryable }: Failure): void {
    if (this.isJson) {
      this.#err(
        json({
          ok: false,
          error: { code, message, hint: hints.map((hint) => hint.replaceAll(/ {2,}/g, ' ')).join('; '), retryable: isRetryable },
        }),
      );
      return;
    }
    this.#err(`${this.#paintErr('bad', 'error:')} ${safeLine(message, 4_000)}`);
    for (const hint of hints) this.#err(`  ${safeLine(hint, 4_000)}`);
    if (!this.isVerbose) return;
    const trace = (cause instanceof Error ? cause.stack : stack) ?? '';
    for (const line of trace.split('\n')) this.#err(`    ${safeLine(line)}`);
  }

  /** The caller cleans and shortens texts from outside. This cleans a text once more, in case a caller forgot; the program's own colours stay. */
  #safe(text: string): string {
    if (plainAscii.test(text)) return text;
    const parts = text.split(colour);
    return parts.map((part, at) => (at % 2 === 0 ? safeLine(part, Infinity) : this.#outChalk === undefined ? '' : part)).join('');
  }

  #paintErr(tone: Exclude<Tone, 'plain'>, text: string): string {
    return this.#errChalk === undefined ? text : styles[tone](this.#errChalk)(text);
  }

  #err(text: string): void {
    process.stderr.write(`${maskPasswords(text)}\n`);
  }
}

function json(fields: object): string {
  return safeJson(JSON.stringify({ v: 1, ...fields }));
}
