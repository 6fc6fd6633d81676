import type { Readable } from 'node:stream';

/** What a child of the program may still say after the program's end, without a pause as long as this. */
const lateOutputMs = 200;

/** Passes bytes on as they are, no faster than they are taken: a slow reader slows the program, as it would bare. */
export class OutputPassage {
  readonly stream: 'stdout' | 'stderr';
  /** The descriptor that is read. */
  readonly descriptor: number;
  /** What is read. */
  readonly from: Readable;
  readonly #to: NodeJS.WriteStream;
  readonly #isOver: Promise<void>;
  #isBlocked = false;
  #passedAt = 0;

  /**
   * @param onBytes gets every piece
   * @param shown what is passed on of a piece
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
    // A terminal that its last program has closed says so by an error.
    from.on('error', () => from.destroy());
    // Nobody reads any more. Closing our end lets the program find out by SIGPIPE, as it would bare.
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

  /** Whether somebody may still write there. */
  get isOpen(): boolean {
    return !this.from.destroyed;
  }

  /**
   * The program has ended: resolves when all that it wrote has been taken. What it started and left behind may hold the
   * other end open for as long as it likes; that is not waited for, as no shell would. Nothing is read from then on.
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
