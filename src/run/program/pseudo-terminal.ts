import { closeSync, readSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { loadPtyAddon } from '../../executable/native-addon.ts';

interface Binding {
  open(columns: number, rows: number): { master: number; slave: number; pty: string };
  resize(descriptor: number, columns: number, rows: number): void;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** A pseudo-terminal. This process reads what programs write to its path; what this process writes arrives there as key presses. */
export class PseudoTerminal {
  readonly path: string;
  /** The master side, which this process holds. */
  readonly descriptor: number;
  readonly stream: ReadStream;
  /** Converts the program's output before it goes to the user's terminal. */
  shown: (bytes: Buffer) => Buffer = (bytes) => bytes;
  readonly #binding: Binding;
  #otherSide: number | undefined;

  private constructor(binding: Binding, { columns, rows }: TerminalSize) {
    const { master, slave, pty } = binding.open(columns, rows);
    this.#binding = binding;
    this.path = pty;
    this.descriptor = master;
    this.#otherSide = slave;
    this.stream = new WholeReadStream(master);
  }

  /** Undefined when the system has no pseudo-terminals, or the optional package for them is not installed. */
  static open(size: TerminalSize): PseudoTerminal | undefined {
    try {
      return new PseudoTerminal(loadPtyAddon() as Binding, size);
    } catch {
      return undefined;
    }
  }

  /** File descriptors that a program must not inherit. */
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

  /** Call it when the program has opened the terminal. This process then closes its copy of the slave side, so that it sees when the last
   * program closes the terminal. */
  handedOver(): void {
    if (this.#otherSide !== undefined) closeSync(this.#otherSide);
    this.#otherSide = undefined;
  }
}

/** What is read at once of what a terminal still holds at its end. */
const restBytes = 65_536;

/** Reads a terminal to its end. libuv may take the hang-up of the last program for it, although bytes are left (libuv/libuv#4992). */
class WholeReadStream extends ReadStream {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    super(descriptor);
    this.#descriptor = descriptor;
  }

  override push(bytes: Buffer | null, encoding?: BufferEncoding): boolean {
    if (bytes === null) for (let rest = this.#rest(); rest.length > 0; rest = this.#rest()) super.push(rest);
    return super.push(bytes, encoding);
  }

  #rest(): Buffer {
    const bytes = Buffer.alloc(restBytes);
    try {
      return bytes.subarray(0, readSync(this.#descriptor, bytes));
    } catch {
      // EIO: nothing is left.
      return bytes.subarray(0, 0);
    }
  }
}
