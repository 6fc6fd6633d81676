import type { Readable } from 'node:stream';

/** After the program's end, output of its children is still read until this long a pause. */
const lateOutputMs = 200;

/** Relays bytes unchanged, no faster than the reader takes them. A slow reader slows the program down, as it would without `run`. */
export class OutputPassage {
  readonly stream: 'stdout' | 'stderr';
  /** The file descriptor that is read. */
  readonly descriptor: number;
  /** The stream that reads it. */
  readonly from: Readable;
  readonly #to: NodeJS.WriteStream;
  readonly #isOver: Promise<void>;
  #isBlocked = false;
  #passedAt = 0;

  /**
   * @param onBytes called with every piece
   * @param shown converts a piece before it is relayed
   */
  constructor(
    source: { stream: 'stdout' | 'stderr'; descriptor: number; from: Readable },
    onBytes: (bytes: Buffer) => void,
    shown: (bytes: Buffer) => Buffer = (bytes) => bytes,
  ) {
    this.stream = source.stream;
    this.descriptor = source.descriptor;
    const { from } = source;
    const to = process[source.stream];
    this.from = from;
    this.#to = to;
    this.#isOver = new Promise((resolve) => from.once('close', () => resolve()));
    // A pseudo-terminal reports an error when the last program has closed it.
    from.on('error', () => from.destroy());
    // The reader is gone. After this end is closed the program receives SIGPIPE, as it would without `run`.
    to.once('error', () => from.destroy());
    from.on('data', (bytes: Buffer) => {
      this.#passedAt = performance.now();
      onBytes(bytes);
      if (from.destroyed || to.write(shown(bytes))) return;
      from.pause();
      this.#isBlocked = true;
      to.once('drain', () => {
        this.#isBlocked = false;
        this.#passedAt = performance.now();
        from.resume();
      });
    });
  }

  /** Whether a process may still write to it. */
  get isOpen(): boolean {
    return !this.from.destroyed;
  }

  /**
   * Call it when the program has ended. Resolves when everything that it wrote has been relayed; nothing is read after that. Children
   * that it left running may keep the other end open. They are not waited for, as a shell would not either.
   */
  async finish(): Promise<void> {
    this.#passedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const isQuiet = new Promise<void>((resolve) => {
      const look = () => {
        const quietMs = this.#isBlocked ? 0 : performance.now() - this.#passedAt;
        if (quietMs >= lateOutputMs) resolve();
        else timer = setTimeout(look, lateOutputMs - quietMs);
      };
      look();
    });
    await Promise.race([this.#isOver, isQuiet]);
    clearTimeout(timer);
    this.from.pause();
    if (!this.#to.errored && this.#to.writable) await new Promise<void>((resolve) => this.#to.write('', () => resolve()));
  }

  close(): void {
    this.from.destroy();
  }
}
