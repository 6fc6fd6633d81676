/**
 * Strings that a terminal acts on beyond its screen (titles, clipboard, links, downloads: OSC, DCS, SOS, PM, APC) and sequences that
 * make it answer, which would come as keys: device reports (CSI c, n, t, x), modes (CSI p), kitty's keyboard (CSI u) and version (CSI q).
 */
const beyondTheScreen =
  // oxlint-disable-next-line no-control-regex
  /\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|(?=\x1b))?|\x1b\[[0-?]*[ -/]*[cntxpuq]|\x1b[Z\\]|[\x05\x80-\x9f]/g;
/** A sequence that begins a text and is whole. */
const whole = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*\x07|[^[\]PX^_])/; // oxlint-disable-line no-control-regex
/** The longest beginning of a sequence that is waited for. */
const longestChars = 4_096;

/** What a program has written for its screen, piece by piece, of which nothing reaches beyond the screen of the terminal that plays it. */
export class PlayableText {
  #held = '';

  /** The next piece; the beginning of a sequence that it does not end with waits for the one after. */
  next(piece: string): string {
    const text = this.#held + piece;
    const last = text.lastIndexOf('\x1b');
    const isWhole = last === -1 || whole.test(text.slice(last));
    // One that is too long is none that a screen needs.
    const end = isWhole ? text.length : last;
    this.#held = isWhole || text.length - last > longestChars ? '' : text.slice(last);
    return text.slice(0, end).replace(beyondTheScreen, '');
  }
}
