import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ReadStream } from 'node:tty';

interface Binding {
  open(columns: number, rows: number): { master: number; slave: number; pty: string };
  resize(descriptor: number, columns: number, rows: number): void;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** A terminal that we make: what is written to its path by a program, we read, and what we write are the program's keys. */
export class PseudoTerminal {
  readonly path: string;
  /** Our side of it. */
  readonly descriptor: number;
  readonly stream: ReadStream;
  /** What of a program's output is shown on our own terminal. */
  shown: (bytes: Buffer) => Buffer = (bytes) => bytes;
  readonly #binding: Binding;
  #otherSide: number | undefined;

  private constructor(binding: Binding, { columns, rows }: TerminalSize) {
    const { master, slave, pty } = binding.open(columns, rows);
    this.#binding = binding;
    this.path = pty;
    this.descriptor = master;
    this.#otherSide = slave;
    this.stream = new ReadStream(master);
  }

  /** Undefined where the system has none, or the optional package that makes them is not installed. */
  static open(size: TerminalSize): PseudoTerminal | undefined {
    try {
      const require = createRequire(import.meta.url);
      const { requireBinary } = require('@lydell/node-pty/requireBinary.js') as { requireBinary: (file: string) => Binding };
      return new PseudoTerminal(requireBinary('pty.node'), size);
    } catch {
      return undefined;
    }
  }

  /** Descriptors that a program must not inherit. */
  get descriptors(): number[] {
    return [this.descriptor, ...(this.#otherSide === undefined ? [] : [this.#otherSide])];
  }

  resize({ columns, rows }: TerminalSize): void {
    try {
      this.#binding.resize(this.descriptor, columns, rows);
    } catch {
      // It is closed already.
    }
  }

  /** The program has opened it: from now on its end is to be seen when the last program closes it. */
  handedOver(): void {
    if (this.#otherSide !== undefined) closeSync(this.#otherSide);
    this.#otherSide = undefined;
  }
}
