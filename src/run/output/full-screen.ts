/** A piece of a program's output, and whether it belongs to its full screen. */
export interface OutputPiece {
  bytes: Buffer;
  isFullScreen: boolean;
}

/** Switches to the alternate screen and back: DECSET and DECRST of 47, 1047 and 1049 (xterm's control sequences). */
const switches = /\x1b\[\?(?:47|1047|1049)([hl])/g; // oxlint-disable-line no-control-regex
/** The longest beginning of such a sequence that the next bytes may complete. */
const beginning = /\x1b(?:\[(?:\?(?:4|47|1|10|104|1047|1049)?)?)?$/; // oxlint-disable-line no-control-regex

/**
 * Tells the output of a program that uses the whole screen (vim, htop) from lines: it moves the cursor about, and as lines it would be
 * thousands of broken ones.
 */
export class FullScreen {
  #isOn = false;
  #held = '';

  /** Whether the program shows its full screen now. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** What was held back, once there is no more output. */
  rest(): OutputPiece[] {
    const bytes = Buffer.from(this.#held, 'latin1');
    this.#held = '';
    return bytes.length === 0 ? [] : [{ bytes, isFullScreen: this.#isOn }];
  }

  /** Splits output at the switches. A sequence may be cut: its beginning is held back until the next bytes. */
  split(bytes: Buffer): OutputPiece[] {
    // Most output has no escape at all.
    if (this.#held === '' && !bytes.includes(0x1b)) return [{ bytes, isFullScreen: this.#isOn }];
    const text = this.#held + bytes.toString('latin1');
    const end = beginning.exec(text)?.index ?? text.length;
    this.#held = text.slice(end);
    const pieces: OutputPiece[] = [];
    let from = 0;
    const add = (to: number) => {
      if (to > from) pieces.push({ bytes: Buffer.from(text.slice(from, to), 'latin1'), isFullScreen: this.#isOn });
      from = to;
    };
    for (const match of text.slice(0, end).matchAll(switches)) {
      const turnsOn = match[1] === 'h';
      // The sequence belongs to the screen, so that a recording begins and ends with it.
      add(turnsOn ? match.index : match.index + match[0].length);
      this.#isOn = turnsOn;
    }
    add(end);
    return pieces;
  }
}
