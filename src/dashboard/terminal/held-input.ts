import { InputParser, type TerminalInput } from './input-parser.ts';

/** Pastes are marked; the mouse is told by press, release and wheel, its place in numbers of any size. */
const pasteModes = ['2004'];
const mouseModes = ['1000', '1006'];

/** The terminal's input while the full screen has it: raw, and with the modes of the terminal that it needs. All of it is given back. */
export class HeldInput {
  readonly #modes: readonly string[];
  readonly #onInput: (input: TerminalInput) => void;
  #parser = new InputParser();
  #flush: ReturnType<typeof setTimeout> | undefined;
  #isHeld = false;
  #isHeard = false;

  constructor(withMouse: boolean, onInput: (input: TerminalInput) => void) {
    this.#modes = withMouse ? [...pasteModes, ...mouseModes] : pasteModes;
    this.#onInput = onInput;
  }

  /** Resolves once what was typed or answered before is read and gone: who typed it has not seen this screen. */
  async take(): Promise<void> {
    const { stdin, stdout } = process;
    this.#isHeld = true;
    this.#isHeard = false;
    this.#parser = new InputParser();
    stdin.setEncoding('utf8');
    stdin.setRawMode(true);
    stdin.ref();
    stdin.on('readable', this.#read);
    // What waits there is read before the second turn of the loop ends.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (!this.#isHeld) return;
    this.#isHeard = true;
    stdout.write(this.#modes.map((mode) => `\x1b[?${mode}h`).join(''));
  }

  /** Gives the terminal's input back. Does so at once, and may be called at any time. */
  readonly release = (): void => {
    if (!this.#isHeld) return;
    const { stdin, stdout } = process;
    this.#isHeld = false;
    clearTimeout(this.#flush);
    stdin.off('readable', this.#read);
    stdin.setRawMode(false);
    stdin.unref();
    if (this.#isHeard) stdout.write(this.#modes.map((mode) => `\x1b[?${mode}l`).join(''));
    this.#isHeard = false;
  };

  readonly #read = (): void => {
    clearTimeout(this.#flush);
    let chunk: string | null;
    // To the end, also once it is given back meanwhile: a stream that was not read empty tells nobody of more.
    while ((chunk = process.stdin.read() as string | null) !== null) if (this.#isHeld) this.#tell(this.#parser.push(chunk));
    const { waitMs } = this.#parser;
    if (this.#isHeld && waitMs !== undefined) this.#flush = setTimeout(() => this.#tell(this.#parser.flush()), waitMs);
  };

  #tell(inputs: readonly TerminalInput[]): void {
    for (const input of inputs) if (this.#isHeard && this.#isHeld) this.#onInput(input);
  }
}
